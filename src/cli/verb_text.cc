// tokenize, score, generate: JSON Lines in, JSON Lines out.
#include <algorithm>
#include <cmath>
#include <iostream>

#include "base/error.h"
#include "base/files.h"
#include "base/progress.h"
#include "base/strings.h"
#include "cli/verb.h"
#include "gen/decode.h"
#include "gen/local.h"
#include "gen/score.h"
#include "io/dataset.h"

namespace reveille::cli {
namespace {

// Rows to a file, whole or not at all, or to stdout.
void write_rows(const std::string& output, const std::vector<Json>& rows) {
  std::string text;
  for (const auto& row : rows) text += row.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  if (output.empty() || output == "-") {
    std::cout << text << std::flush;
  } else {
    write_file_atomic(output, text);
  }
}

Json messages_json(const Conversation& messages) {
  Json out = Json::array();
  for (const auto& message : messages) out.push_back(Json{{"role", message.role}, {"content", message.content}});
  return out;
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
    out["messages"] = messages_json(io::prompt_of(row));
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

// What the model is asked to go on from: plain prompts as they stand, conversations through the template.
std::vector<std::int32_t> prompt_ids(const gen::LocalModel& model, const io::Example& row) {
  if (row.messages.empty()) return model.encode_with_specials(row.text);
  if (row.plain_strings) return model.encode_with_specials(row.messages[0].content);
  return model.encode_chat(io::prompt_of(row));
}

std::vector<std::int32_t> whole_ids(const gen::LocalModel& model, const io::Example& row) {
  if (row.messages.empty() || !row.has_reply) return prompt_ids(model, row);
  if (!row.plain_strings) return model.encode_conversation(row.messages).ids;
  auto ids = model.encode_with_specials(row.messages[0].content);
  auto reply = model.encode_text(row.messages[1].content);
  ids.insert(ids.end(), reply.begin(), reply.end());
  return ids;
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
    fail(ErrorKind::usage, cat("reveille ", verb, ": --dataset is missing"), "name a file of rows");
  return io::load_dataset(common.dataset, common.data).examples;
}

}  // namespace

int run_tokenize(const std::vector<std::string>& arguments) {
  std::string model_name, input, output;
  bool no_specials = false;
  gen::OpenOptions open;
  CommandLine line("tokenize", "Token ids of texts: rows {\"text\"} become {\"ids\": [...]}.",
                   "  reveille tokenize smollm2-135m-instruct --input texts.jsonl --output ids.jsonl\n");
  line.positional("MODEL", model_name, "whose tokenizer is used");
  line.value("input", input, "rows in any data-set form; {\"text\": ...} is the plainest");
  line.value("output", output, "JSON Lines file; none: standard output");
  line.flag("no-special-tokens", no_specials, "do not add the tokenizer's own BOS and EOS");
  line.options(open);
  if (!line.parse(arguments)) return 0;
  if (input.empty()) fail(ErrorKind::usage, "reveille tokenize: --input is missing");
  auto tokenizer = gen::open_tokenizer(model_name, open);
  std::vector<Json> rows;
  for (const auto& row : io::load_dataset(input).examples) {
    std::string text = row.messages.empty() ? row.text : row.messages[0].content;
    rows.push_back(Json{{"ids", tokenizer->encode(text, {.add_special_tokens = !no_specials})}});
  }
  write_rows(output, rows);
  return 0;
}

int run_score(const std::vector<std::string>& arguments) {
  Common common;
  ScoreOptions score;
  CommandLine line(
      "score", "Log-probability of every token of every row: {\"ids\": [...], \"logprobs\": [null, ...]}.",
      "  reveille score smollm2-135m-instruct --dataset chats.jsonl --output scores.jsonl --dtype float32\n");
  common_options(line, common);
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
  std::vector<Json> rows;
  for (std::size_t i = 0; i < scores.size(); ++i) {
    Json logprobs = Json::array();
    for (float value : scores[i]) logprobs.push_back(std::isnan(value) ? Json(nullptr) : Json(value));
    rows.push_back(Json{{"ids", sequences[i]}, {"logprobs", logprobs}});
  }
  write_rows(common.output, rows);
  return 0;
}

int run_generate(const std::vector<std::string>& arguments) {
  Common common;
  gen::SampleOptions sample;
  bool with_logprobs = false, ignore_eos = false;
  CommandLine line("generate",
                   "Completions: every row comes back with \"completion\", \"ids\" and \"finish\".\n"
                   "Conversations (messages) go through the chat template; plain prompts are continued as they stand.",
                   "  reveille generate smollm2-135m-instruct --dataset prompts.jsonl --output out.jsonl --max-tokens "
                   "48 --temperature 0\n");
  common_options(line, common);
  line.options(sample);
  line.flag("logprobs", with_logprobs, "add the log-probability of every sampled token");
  line.flag("ignore-eos", ignore_eos, "go on past the end of the turn until max-tokens, to measure speed");
  if (!line.parse(arguments)) return 0;
  common.data.prompts_only = true;
  auto examples = load(common, "generate");
  auto model = gen::open_model(common.model, common.open);
  std::vector<gen::Request> requests;
  for (const auto& row : examples) requests.push_back({prompt_ids(*model, row), 0});
  Progress progress("generating", requests.size(), "rows");
  std::vector<gen::DecodeResult> results(requests.size());
  std::size_t tokens = 0;
  const std::vector<std::int32_t> no_stops;
  gen::decode(model->transformer(), requests, ignore_eos ? no_stops : model->stop_ids(), sample,
              [&](std::size_t index, gen::DecodeResult& result) {
                tokens += result.ids.size();
                results[index] = std::move(result);
                progress.advance();
              });
  progress.finish(speed_note(tokens, progress));
  std::vector<Json> rows;
  for (std::size_t i = 0; i < examples.size(); ++i) {
    Json row = row_json(examples[i]);
    row["completion"] = model->decode(results[i].ids);
    row["ids"] = results[i].ids;
    row["finish"] = results[i].finish == gen::Finish::stop ? "stop" : "length";
    if (with_logprobs) row["logprobs"] = results[i].logprobs;
    rows.push_back(std::move(row));
  }
  write_rows(common.output, rows);
  return 0;
}

}  // namespace reveille::cli
