// Two tiny tokenizers for tests. What they should give was asked of Hugging Face tokenizers 0.23.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "text/unicode.h"

namespace reveille::text {

inline Json tiny_added(int id, const char* content, bool special, bool strips = false, bool word = false) {
  return {{"id", id},         {"content", content}, {"single_word", word}, {"lstrip", strips},
          {"rstrip", strips}, {"normalized", word}, {"special", special}};
}

inline void tiny_vocab(Json& model, const std::vector<std::string>& single,
                       const std::vector<std::pair<std::string, std::string>>& merges) {
  int id = 0;
  for (const std::string& token : single) model["vocab"][token] = id++;
  model["merges"] = Json::array();
  for (const auto& [left, right] : merges) {
    model["vocab"][left + right] = id++;
    model["merges"].push_back({left, right});
  }
}

// 256 bytes, then 11 merges, then <|end|> 267, <think> 268, <mask> 269 and the word cat 270.
inline Json tiny_byte_level() {
  Json json = {{"version", "1.0"},
               {"normalizer", {{"type", "NFC"}}},
               {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}, {"use_regex", true}}},
               {"decoder", {{"type", "ByteLevel"}}},
               {"model", {{"type", "BPE"}}}};
  json["added_tokens"] = {tiny_added(267, "<|end|>", true), tiny_added(268, "<think>", false),
                          tiny_added(269, "<mask>", true, true), tiny_added(270, "cat", false, false, true)};
  json["post_processor"] = parse_json(
      R"({"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<|end|>", "type_id": 0}}],
          "special_tokens": {"<|end|>": {"id": "<|end|>", "ids": [267], "tokens": ["<|end|>"]}},
          "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 0}}]})",
      "fixture");
  std::vector<std::string> bytes;
  for (int b = 0; b < 256; ++b) bytes.push_back(bytes_to_alphabet(std::string(1, static_cast<char>(b))));
  tiny_vocab(json["model"], bytes,
             {{"h", "e"},
              {"l", "l"},
              {"he", "ll"},
              {"hell", "o"},
              {"Ġ", "w"},
              {"o", "r"},
              {"Ġw", "or"},
              {"l", "d"},
              {"Ġwor", "ld"},
              {"Ã", "©"},
              {"Ġ", "hello"}});
  return json;
}

// SentencePiece style, as Llama 2 has it: <unk>, <s>, </s>, 256 bytes, 8 characters, then merges.
inline std::vector<std::string> tiny_pieces() {
  std::vector<std::string> pieces = {"<unk>", "<s>", "</s>"};
  constexpr char kHex[] = "0123456789ABCDEF";
  for (int b = 0; b < 256; ++b) pieces.push_back(cat("<0x", kHex[b / 16], kHex[b % 16], ">"));
  for (const char* piece : {"▁", "h", "e", "l", "o", "w", "r", "d"}) pieces.emplace_back(piece);
  return pieces;
}

inline Json tiny_sentencepiece() {
  Json json = parse_json(R"({"version": "1.0", "pre_tokenizer": null, "post_processor": null,
    "normalizer": {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "▁"},
      {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
    "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
      {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
    "model": {"type": "BPE", "unk_token": "<unk>", "fuse_unk": true, "byte_fallback": true}})",
                         "fixture");
  json["added_tokens"] = {tiny_added(0, "<unk>", true), tiny_added(1, "<s>", true), tiny_added(2, "</s>", true)};
  tiny_vocab(json["model"], tiny_pieces(),
             {{"h", "e"},
              {"l", "l"},
              {"he", "ll"},
              {"hell", "o"},
              {"▁", "hello"},
              {"o", "r"},
              {"▁", "w"},
              {"▁w", "or"},
              {"l", "d"},
              {"▁wor", "ld"},
              {"▁", "▁"}});
  return json;
}

}  // namespace reveille::text
