// tokenize, score, generate: JSON Lines in, JSON Lines out.
#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "base/files.h"
#include "base/progress.h"
#include "base/strings.h"
#include "cli/row_output.h"
#include "cli/verb.h"
#include "gen/decode.h"
#include "gen/local.h"
#include "gen/score.h"
#include "io/dataset.h"
#include "io/dataset_write.h"
#include "io/jsonl.h"
#include "safety/make_reward.h"

namespace reveille::cli {
namespace {

void print_line(const std::string& line) {
  std::fwrite(line.data(), 1, line.size(), stdout);
  std::fputc('\n', stdout);
}

// Rows to a file, whole or not at all, or to stdout.
void write_rows(const std::string& output, const std::vector<Json>& rows) {
  if (!output.empty() && output != "-") return io::write_jsonl(link_target(output), rows);
  for (const auto& row : rows) print_line(io::json_line(row));
  flush_stdout();
}

// A row as it came, for writing it back with more keys.
Json row_json(const io::Example& row) {
  Json out = Json::object();
  if (row.messages.empty()) {
    out["text"] = row.text;
  } else if (row.plain_strings) {
    out["prompt"] = row.messages[0].content;
    if (row.has_reply) out["reference"] = row.messages[1].content;
  } else {
    out["messages"] = io::messages_json(io::prompt_of(row));
    if (row.has_reply) out["reference"] = row.messages.back().content;
  }
  for (const auto& [key, value] : row.extra.items()) out[key] = value;
  return out;
}

// What was done and how fast, opening the model left out: "3,072 tokens, 640 tokens/s".
std::string speed_note(std::size_t tokens, const Progress& progress) {
  const auto rate = static_cast<double>(tokens) / std::max(progress.seconds(), 1e-9);
  return cat(with_commas(static_cast<long long>(tokens)), " tokens, ", with_commas(std::llround(rate)), " tokens/s");
}

bool is_plain(const io::Example& row) { return row.messages.empty() || row.plain_strings; }

// What the model is asked to go on from: plain prompts as they stand, conversations through the template.
std::vector<std::int32_t> prompt_ids(const gen::LocalModel& model, const io::Example& row) {
  if (!is_plain(row)) return model.encode_chat(io::prompt_of(row));
  return model.encode_with_specials(row.messages.empty() ? row.text : row.messages[0].content);
}

// A row of plain strings, the prompt with the completion after it; no template is needed for it.
std::vector<std::int32_t> plain_ids(const text::Tokenizer& tokenizer, const io::Example& row, bool specials) {
  auto ids =
      tokenizer.encode(row.messages.empty() ? row.text : row.messages[0].content, {.add_special_tokens = specials});
  if (row.messages.empty() || !row.has_reply) return ids;
  auto reply = tokenizer.encode(row.messages[1].content);
  ids.insert(ids.end(), reply.begin(), reply.end());
  return ids;
}

// The whole row, reply and all.
std::vector<std::int32_t> whole_ids(const gen::LocalModel& model, const io::Example& row) {
  if (is_plain(row)) return plain_ids(model.tokenizer(), row, true);
  return row.has_reply ? model.encode_conversation(row.messages).ids : prompt_ids(model, row);
}

struct ScoreOptions {
  std::int64_t batch_size = 4096;
  void visit(OptionVisitor& v) { v.option("batch_size", batch_size, {.help = "tokens in a batch", .min = 1}); }
};

struct Common {
  std::string model, dataset, output;
  gen::OpenOptions open;
  io::DatasetOptions data;
};

void common_options(CommandLine& line, Common& common) {
  line.positional("MODEL", common.model, "a folder, a .gguf file, an adapter folder or a built-in name");
  line.value("dataset", common.dataset, "rows in any data-set form (JSON Lines, JSON, CSV, text)");
  line.value("output", common.output, "JSON Lines file; none: standard output");
  line.options(common.open);
  line.options(common.data);
}

std::vector<io::Example> load(const Common& common, const std::string& verb) {
  if (common.dataset.empty())
    fail(ErrorKind::usage, cat("reveille ", verb, ": --dataset is missing"), dataset_hint(verb));
  return io::load_dataset(common.dataset, common.data).examples;
}

}  // namespace

int run_tokenize(const std::vector<std::string>& arguments) {
  std::string model_name, input, output;
  bool no_specials = false;
  gen::OpenOptions open;
  open.weights = false;
  io::DatasetOptions data;
  CommandLine line("tokenize",
                   "Token ids of every row, whole, as 'score' takes it: {\"ids\": [...]}. Conversations (messages) go\n"
                   "through the chat template; plain text, and a prompt with its completion, as they stand.",
                   "  reveille tokenize smollm2-135m-instruct --input texts.jsonl --output ids.jsonl\n");
  line.positional("MODEL", model_name, "whose tokenizer and chat template are used");
  line.value("input", input, "rows in any data-set form; {\"text\": ...} is the plainest");
  line.value("output", output, "JSON Lines file; none: standard output");
  line.flag("no-special-tokens", no_specials, "do not add the tokenizer's own BOS and EOS to plain text");
  line.options(open);
  line.options(data);
  if (!line.parse(arguments)) return 0;
  if (input.empty()) fail(ErrorKind::usage, "reveille tokenize: --input is missing", dataset_hint("tokenize"));
  const auto examples = io::load_dataset(input, data).examples;
  std::vector<Json> rows;
  if (std::all_of(examples.begin(), examples.end(), is_plain)) {
    auto tokenizer = gen::open_tokenizer(model_name, open);
    for (const auto& row : examples) rows.push_back(Json{{"ids", plain_ids(*tokenizer, row, !no_specials)}});
  } else {
    auto model = gen::open_model(model_name, open);
    for (const auto& row : examples) rows.push_back(Json{{"ids", whole_ids(*model, row)}});
  }
  write_rows(output, rows);
  return 0;
}

namespace {

// What a reward says of every row's reply.
std::vector<double> rewards_of(const std::string& what, const gen::LocalModel& model, const gen::OpenOptions& open,
                               const std::vector<io::Example>& examples) {
  std::vector<safety::Answer> answers;
  for (const auto& row : examples) {
    if (!row.has_reply) fail(ErrorKind::bad_input, cat(row.source, ": there is no reply to give a reward to"));
    answers.push_back(safety::answer_of(io::prompt_of(row), row.messages.back().content));
  }
  return safety::checked_scores(*safety::make_reward(what, model, open), answers);
}

}  // namespace

int run_score(const std::vector<std::string>& arguments) {
  Common common;
  ScoreOptions score;
  std::string reward;
  CommandLine line(
      "score", "Log-probability of every token of every row: {\"ids\": [...], \"logprobs\": [null, ...]}.",
      "  reveille score smollm2-135m-instruct --dataset chats.jsonl --output scores.jsonl --dtype float32\n"
      "  reveille score smollm2-135m-instruct --dataset chats.jsonl --reward preference-model\n");
  common_options(line, common);
  line.value("reward", reward, "a preference model's folder, or program:COMMAND: \"reward\" is added to every row");
  line.options(score);
  if (!line.parse(arguments)) return 0;
  auto examples = load(common, "score");
  auto model = gen::open_model(common.model, common.open);
  std::vector<std::vector<std::int32_t>> sequences;
  for (const auto& row : examples) sequences.push_back(whole_ids(*model, row));
  Progress progress("scoring", sequences.size(), "rows");
  auto scores =
      gen::score(model->transformer(), sequences, score.batch_size, [&](std::size_t done) { progress.advance(done); });
  std::size_t tokens = 0;
  for (const auto& ids : sequences) tokens += ids.size();
  progress.finish(speed_note(tokens, progress));
  const auto rewards = reward.empty() ? std::vector<double>() : rewards_of(reward, *model, common.open, examples);
  std::vector<Json> rows;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    Json logprobs = Json::array();
    for (float value : scores[i]) logprobs.push_back(std::isnan(value) ? Json(nullptr) : Json(value));
    rows.push_back(Json{{"ids", sequences[i]}, {"logprobs", logprobs}});
    if (!rewards.empty()) rows.back()["reward"] = rewards[i];
  }
  write_rows(common.output, rows);
  return 0;
}

namespace {

struct Generate {
  Common common;
  gen::SampleOptions sample;
  bool with_logprobs = false, ignore_eos = false;
};

Json completed(const gen::LocalModel& model, const Generate& generate, const io::Example& example,
               const gen::DecodeResult& result) {
  Json row = row_json(example);
  row["completion"] = model.decode(result.ids);
  row["ids"] = result.ids;
  row["finish"] = result.finish == gen::Finish::stop ? "stop" : "length";
  if (generate.with_logprobs) row["logprobs"] = result.logprobs;
  return row;
}

// What decides every line of the output.
Json everything_of(const Generate& generate, const gen::LocalModel& model, const std::vector<io::Example>& examples,
                   const std::vector<gen::Request>& requests) {
  Generate copy = generate;  // options are visited through a reference that may change them
  Json rows = Json::array();
  for (std::size_t i = 0; i < examples.size(); ++i)
    rows.push_back(Json::array({row_json(examples[i]), requests[i].ids}));
  return Json{{"sample", options_to_json(copy.sample)},
              {"logprobs", generate.with_logprobs},
              {"ignore_eos", generate.ignore_eos},
              {"weights", model.fingerprint()},
              {"stops", model.stop_ids()},
              {"rows", std::move(rows)}};
}

bool parse(const std::vector<std::string>& arguments, Generate& generate) {
  CommandLine line(
      "generate",
      "Completions: every row comes back with \"completion\", \"ids\" and \"finish\".\n"
      "Conversations (messages) go through the chat template; plain prompts are continued as they stand.\n"
      "Rows are written as they are done, to OUTPUT.<key>.partial until all are; the same command goes on\n"
      "from there after a Ctrl-C.",
      "  reveille generate smollm2-135m-instruct --dataset prompts.jsonl --output out.jsonl --max-tokens "
      "48 --temperature 0\n");
  common_options(line, generate.common);
  line.options(generate.sample);
  line.flag("logprobs", generate.with_logprobs, "add the log-probability of every sampled token");
  line.flag("ignore-eos", generate.ignore_eos, "go on past the end of the turn until max-tokens, to measure speed");
  if (!line.parse(arguments)) return false;
  generate.common.data.prompts_only = true;
  return true;
}

// Rows are decoded and written in chunks of a fixed size: a chunk's completions are the same whether or not the
// program was stopped before it, and a stop costs one chunk.
constexpr std::int64_t kBatchesInChunk = 8;

// From prompts to the output, leaving out the rows that an earlier run of the same command wrote.
class Generation {
 public:
  Generation(const Generate& generate, gen::LocalModel& model, std::vector<io::Example> examples)
      : generate_(generate),
        model_(model),
        examples_(std::move(examples)),
        requests_(requests_of(model, examples_)),
        output_(generate.common.output, everything_of(generate, model, examples_, requests_)),
        progress_("generating", requests_.size(), "rows"),
        done_before_(std::min(output_.rows(), requests_.size())) {}

  void run() {
    if (done_before_ > 0) {
      say(cat("going on after row ", done_before_, " of ", requests_.size(), ", with ", output_.partial().string()));
      progress_.advance(done_before_);
    }
    const auto chunk = static_cast<std::size_t>(generate_.sample.batch_size * kBatchesInChunk);
    for (std::size_t first = done_before_ / chunk * chunk; first < requests_.size(); first += chunk) {
      const std::size_t end = std::min(first + chunk, requests_.size());
      if (end > done_before_) write(first, decode(first, end));
    }
    progress_.finish(speed_note(tokens_, progress_));
    output_.finish();
  }

 private:
  static std::vector<gen::Request> requests_of(const gen::LocalModel& model, const std::vector<io::Example>& examples) {
    std::vector<gen::Request> requests;
    for (const auto& row : examples) requests.push_back({prompt_ids(model, row), 0});
    gen::check_requests(model.transformer(), requests);
    return requests;
  }

  std::vector<gen::DecodeResult> decode(std::size_t first, std::size_t end) {
    const auto start = requests_.begin();
    const std::vector<gen::Request> part(start + static_cast<std::ptrdiff_t>(first),
                                         start + static_cast<std::ptrdiff_t>(end));
    const auto stops = generate_.ignore_eos ? std::vector<std::int32_t>() : model_.stop_ids();
    std::vector<gen::DecodeResult> results(part.size());
    output_.guard([&] {
      gen::decode(model_.transformer(), part, stops, generate_.sample,
                  [&](std::size_t index, gen::DecodeResult& result) {
                    tokens_ += result.ids.size();
                    results[index] = std::move(result);
                    if (first + index >= done_before_) progress_.advance();
                  });
    });
    return results;
  }

  void write(std::size_t first, const std::vector<gen::DecodeResult>& results) {
    for (std::size_t i = 0; i < results.size(); ++i) {
      if (first + i >= done_before_) output_.add(completed(model_, generate_, examples_[first + i], results[i]));
    }
    output_.flush();
  }

  const Generate& generate_;
  gen::LocalModel& model_;
  std::vector<io::Example> examples_;
  std::vector<gen::Request> requests_;
  RowOutput output_;
  Progress progress_;
  std::size_t done_before_ = 0, tokens_ = 0;
};

}  // namespace

int run_generate(const std::vector<std::string>& arguments) {
  Generate generate;
  if (!parse(arguments, generate)) return 0;
  auto examples = load(generate.common, "generate");
  auto model = gen::open_model(generate.common.model, generate.common.open);
  Generation(generate, *model, std::move(examples)).run();
  return 0;
}

}  // namespace reveille::cli
