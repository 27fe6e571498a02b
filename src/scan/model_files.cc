#include "scan/model_files.h"

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "gen/vocab.h"
#include "io/weight_file.h"

namespace reveille::scan {
namespace fs = std::filesystem;
namespace {

constexpr int kDeepest = 4;
constexpr std::size_t kMostFiles = 10'000;
constexpr std::uintmax_t kMostBytes = std::uintmax_t{256} << 20;

void add_files(const fs::path& folder, const std::string& prefix, int depth, std::vector<std::string>& out) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (out.size() >= kMostFiles) return;
    // Files may be links (caches keep their files elsewhere); folders that are would lead anywhere.
    if (entry.is_directory(error) && !entry.is_symlink(error)) {
      if (depth < kDeepest && !name.starts_with('.')) add_files(entry.path(), cat(prefix, name, "/"), depth + 1, out);
    } else if (entry.is_regular_file(error)) {
      out.push_back(prefix + name);
    }
  }
}

void index(TokenizerRecord& record) {
  auto add = [&](const std::string& text, std::int64_t id) {
    record.text_of[id] = text;
    record.id_of[text] = id;
  };
  for (const auto& [text, id] : record.spec.vocab) add(text, id);
  for (const auto& token : record.spec.added) add(token.content, token.id);
}

}  // namespace

bool is_gguf(const fs::path& model) {
  return fs::is_regular_file(model) && io::weight_file_kind(model) == io::WeightFileKind::gguf;
}

std::vector<std::string> files_of(const fs::path& folder) {
  std::vector<std::string> out;
  add_files(folder, "", 0, out);
  std::sort(out.begin(), out.end());
  return out;
}

std::string read_small_file(const fs::path& path) {
  std::error_code error;
  const auto bytes = fs::file_size(path, error);
  if (!error && bytes > kMostBytes) {
    fail(ErrorKind::bad_input, cat(path.string(), " has ", human_bytes(static_cast<double>(bytes)),
                                   ", expected at most ", human_bytes(static_cast<double>(kMostBytes))));
  }
  return read_file(path);
}

std::optional<Json> json_of(const fs::path& folder, const std::string& file) {
  const fs::path path = folder / file;
  if (!fs::is_regular_file(path)) return std::nullopt;
  try {
    Json json = parse_json(read_small_file(path), file);
    if (json.is_object()) return json;
  } catch (const Error& error) {  // the check of JSON files says so
    if (error.kind() != ErrorKind::bad_input) throw;
  }
  return std::nullopt;
}

bool in_use(const Json& value) {
  return !(value.is_null() || value == false || ((value.is_structured() || value.is_string()) && value.empty()));
}

std::optional<TokenizerRecord> tokenizer_of(const fs::path& model) {
  TokenizerRecord record{.model = model};
  if (is_gguf(model)) {
    record.file = model.filename().string();
    record.gguf = true;
    const auto file = io::GgufFile::open(model);
    const auto tokenizer = text::Tokenizer::from_gguf(gen::vocab_from_gguf(file->metadata()), record.file);
    record.spec = text::parse_tokenizer_json(tokenizer->to_json(), record.file);
  } else {
    record.file = "tokenizer.json";
    if (!fs::is_regular_file(model / record.file)) return std::nullopt;
    record.spec = text::parse_tokenizer_json(read_small_file(model / record.file), record.file);
  }
  index(record);
  return record;
}

std::shared_ptr<const text::Tokenizer> open_tokenizer(const TokenizerRecord& record) {
  if (!record.gguf) return text::Tokenizer::from_folder(record.model);
  return text::Tokenizer::from_gguf(gen::vocab_from_gguf(io::GgufFile::open(record.model)->metadata()), record.file);
}

void guarded(Notes& notes, const char* rule, const std::string& file, const fs::path& model,
             const std::function<void()>& check) {
  try {
    check();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::interrupted) throw;
    std::string message = replace_all(error.message(), model.string() + "/", "");
    const std::string name = fs::is_directory(model) ? "the model's folder" : model.filename().string();
    notes.add(rule, file, 0, replace_all(std::move(message), model.string(), name));
  } catch (const std::exception&) {  // torch's own, whose words name its source files
    notes.add(rule, file, 0, "it could not be read");
  }
}

}  // namespace reveille::scan
