// A tokenizer on standard input and output, for tests/tokenizer_reference.py.
//
//   tokenize_tool KIND FILE MODE < texts.jsonl > out.jsonl
//
// KIND: json (a tokenizer.json), folder, gguf (a GgufVocab as JSON). MODE, a line in, a line out:
//   ids       "text" -> [ids]               plain     the same, special tokens as text
//   special   "text" -> [ids], bos and eos  offsets   "text" -> [[begin, end], ...]
//   decode    [ids] -> "text"               stream    [ids] -> "text", through TextStream
//   save      (no lines) the tokenizer.json  time      all lines three times; milliseconds of each
//   gguf-save (no lines) to_gguf_vocab() as JSON, tokens and merges and the rest
#include <chrono>
#include <fstream>
#include <iostream>

#include "base/error.h"
#include "base/files.h"
#include "text/tokenizer.h"
#include "text/tokenizer_stream.h"

namespace {

using reveille::Json;
using namespace reveille::text;

std::optional<std::int32_t> optional_id(const Json& value, const char* key) {
  return value.contains(key) ? std::optional(value[key].get<std::int32_t>()) : std::nullopt;
}

std::optional<bool> optional_flag(const Json& value, const char* key) {
  return value.contains(key) ? std::optional(value[key].get<bool>()) : std::nullopt;
}

GgufVocab gguf_vocab(const Json& value) {
  GgufVocab vocab;
  vocab.architecture = value.value("architecture", "");
  vocab.model = value.value("model", "");
  vocab.pre = value.value("pre", "");
  vocab.tokens = value["tokens"].get<std::vector<std::string>>();
  vocab.scores = value.value("scores", std::vector<float>{});
  vocab.token_types = value.value("token_types", std::vector<std::int32_t>{});
  vocab.merges = value.value("merges", std::vector<std::string>{});
  vocab.bos = optional_id(value, "bos");
  vocab.eos = optional_id(value, "eos");
  vocab.pad = optional_id(value, "pad");
  vocab.unk = optional_id(value, "unk");
  vocab.add_bos = optional_flag(value, "add_bos");
  vocab.add_eos = optional_flag(value, "add_eos");
  vocab.add_space_prefix = optional_flag(value, "add_space_prefix");
  return vocab;
}

Json gguf_json(const GgufVocab& vocab) {
  Json out = {{"model", vocab.model},   {"pre", vocab.pre},       {"tokens", vocab.tokens},
              {"scores", vocab.scores}, {"merges", vocab.merges}, {"token_types", vocab.token_types}};
  auto put = [&](const char* key, auto value) {
    if (value) out[key] = *value;
  };
  put("bos", vocab.bos);
  put("eos", vocab.eos);
  put("pad", vocab.pad);
  put("unk", vocab.unk);
  put("add_bos", vocab.add_bos);
  put("add_eos", vocab.add_eos);
  put("add_space_prefix", vocab.add_space_prefix);
  return out;
}

std::shared_ptr<const Tokenizer> open(const std::string& kind, const std::string& file) {
  if (kind == "folder") return Tokenizer::from_folder(file);
  if (kind == "gguf") return Tokenizer::from_gguf(gguf_vocab(reveille::read_json(file)), file);
  return Tokenizer::from_json_text(reveille::read_file(file), file);
}

void measure(const Tokenizer& tokenizer, const std::vector<std::string>& texts) {
  for (int round = 0; round < 3; ++round) {
    auto start = std::chrono::steady_clock::now();
    std::size_t count = 0;
    for (const std::string& text : texts) count += tokenizer.encode(text).size();
    std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
    std::cout << Json::array({spent.count(), count}) << '\n';
  }
}

Json answer(const std::shared_ptr<const Tokenizer>& tokenizer, const std::string& mode, const Json& line) {
  if (mode == "decode") return tokenizer->decode(line.get<std::vector<std::int32_t>>());
  if (mode == "stream") {
    TextStream stream(tokenizer, false);
    std::string text;
    for (const Json& id : line) text += stream.push(id.get<std::int32_t>());
    return text + stream.finish();
  }
  auto text = line.get<std::string>();
  if (mode == "ids") return tokenizer->encode(text);
  if (mode == "special") return tokenizer->encode(text, {.add_special_tokens = true});
  if (mode == "plain") return tokenizer->encode(text, {.added = AddedTokens::special_as_text});
  if (mode != "offsets") reveille::fail(reveille::ErrorKind::usage, "unknown mode '" + mode + "'");
  Json out = Json::array();
  for (Span span : tokenizer->encode_with_offsets(text).offsets) out.push_back({span.begin, span.end});
  return out;
}

int run(const std::string& kind, const std::string& file, const std::string& mode) {
  auto tokenizer = open(kind, file);
  if (mode == "save") return std::cout << tokenizer->to_json(), 0;
  if (mode == "gguf-save") return std::cout << gguf_json(tokenizer->to_gguf_vocab()), 0;
  std::vector<std::string> texts;
  std::string line;
  while (std::getline(std::cin, line)) {
    Json value = reveille::parse_json(line, "standard input");
    if (mode == "time") {
      texts.push_back(value.get<std::string>());
    } else {
      std::cout << answer(tokenizer, mode, value).dump() << '\n';
    }
  }
  if (mode == "time") measure(*tokenizer, texts);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) return std::cerr << "usage: tokenize_tool json|folder|gguf FILE MODE\n", 2;
  std::ios::sync_with_stdio(false);
  try {
    return run(argv[1], argv[2], argv[3]);
  } catch (const reveille::Error& error) {
    std::cerr << reveille::error_kind_name(error.kind()) << ": " << error.message() << '\n';
    return 1;
  }
}
