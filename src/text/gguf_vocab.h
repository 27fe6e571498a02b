// What a GGUF file's metadata says about its tokenizer (keys tokenizer.ggml.*), as a plain record.
// Whoever reads or writes GGUF fills it or takes it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reveille::text {

// Values of token_types.
enum GgufTokenType : std::int32_t {
  kGgufNormal = 1,
  kGgufUnknown = 2,
  kGgufControl = 3,
  kGgufUserDefined = 4,
  kGgufUnused = 5,
  kGgufByte = 6,
};

struct GgufVocab {
  std::string architecture;  // general.architecture; decides between SentencePiece styles
  std::string model;         // "gpt2" (byte-level BPE), "llama" (SentencePiece BPE), "gemma4"
  std::string pre;           // "smollm", "llama-bpe", "qwen2", ...; "" where the file has none
  std::vector<std::string> tokens;
  std::vector<float> scores;                       // empty, or one a token
  std::vector<std::int32_t> token_types;           // empty, or one a token
  std::vector<std::string> merges;                 // "left right", best first
  std::optional<std::int32_t> bos, eos, pad, unk;  // ids
  std::optional<bool> add_bos, add_eos, add_space_prefix;
};

}  // namespace reveille::text
