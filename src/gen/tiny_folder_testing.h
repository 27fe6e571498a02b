// The tiny checkpoints of tests/reference/models as whole model folders: with a tokenizer of fewer tokens than the
// embedding has rows, as Qwen's have it.
#pragma once

#include <filesystem>
#include <string>

#include "base/files.h"
#include "base/json.h"
#include "gen/tiny_model_testing.h"
#include "text/tokenizer.h"

namespace reveille::gen::testing {

// 26 + 26 letters, one pair of them and an end-of-text token.
inline constexpr int kTinyTokens = 54;

inline std::shared_ptr<const text::Tokenizer> tiny_tokenizer() {
  text::GgufVocab vocab;
  vocab.architecture = "llama";
  vocab.model = "gpt2";
  vocab.pre = "smollm";
  for (char first : {'a', 'A'}) {
    for (int i = 0; i < 26; ++i) vocab.tokens.emplace_back(1, static_cast<char>(first + i));
  }
  vocab.tokens.emplace_back("yz");
  vocab.merges = {"y z"};  // llama.cpp reads no file without any
  vocab.token_types.assign(vocab.tokens.size(), text::kGgufNormal);
  vocab.tokens.emplace_back("<|end|>");
  vocab.token_types.push_back(text::kGgufControl);
  vocab.eos = kTinyTokens - 1;
  return text::Tokenizer::from_gguf(vocab, "tiny");
}

// `changes` replace keys of config.json.
inline void write_tiny_folder(const std::filesystem::path& folder, const std::string& name,
                              const Json& changes = Json::object()) {
  std::filesystem::create_directories(folder);
  std::filesystem::copy_file(kModels + name + "/model.safetensors", folder / "model.safetensors");
  Json config = read_json(kModels + name + "/config.json");
  for (const auto& [key, value] : changes.items()) config[key] = value;
  write_json(folder / "config.json", config);
  auto tokenizer = tiny_tokenizer();
  write_file_atomic(folder / "tokenizer.json", tokenizer->to_json());
  write_json(folder / "tokenizer_config.json", tokenizer->config_json(""));
}

}  // namespace reveille::gen::testing
