#include "gen/vocab.h"

#include "base/strings.h"

namespace reveille::gen {
namespace {

std::optional<std::int32_t> id_of(const io::GgufMetadata& metadata, const char* key) {
  auto value = metadata.find_i64(key);
  return value ? std::optional<std::int32_t>(static_cast<std::int32_t>(*value)) : std::nullopt;
}

}  // namespace

text::GgufVocab vocab_from_gguf(const io::GgufMetadata& metadata) {
  text::GgufVocab out;
  out.architecture = metadata.get_string("general.architecture");
  out.model = metadata.get_string("tokenizer.ggml.model");
  out.pre = metadata.find_string("tokenizer.ggml.pre").value_or("");
  out.tokens = metadata.get_strings("tokenizer.ggml.tokens");
  out.scores = metadata.find_floats("tokenizer.ggml.scores").value_or(std::vector<float>{});
  if (auto types = metadata.find_ints("tokenizer.ggml.token_type"))
    out.token_types.assign(types->begin(), types->end());
  out.merges = metadata.find_strings("tokenizer.ggml.merges").value_or(std::vector<std::string>{});
  out.bos = id_of(metadata, "tokenizer.ggml.bos_token_id");
  out.eos = id_of(metadata, "tokenizer.ggml.eos_token_id");
  out.pad = id_of(metadata, "tokenizer.ggml.padding_token_id");
  out.unk = id_of(metadata, "tokenizer.ggml.unknown_token_id");
  out.add_bos = metadata.find_bool("tokenizer.ggml.add_bos_token");
  out.add_eos = metadata.find_bool("tokenizer.ggml.add_eos_token");
  out.add_space_prefix = metadata.find_bool("tokenizer.ggml.add_space_prefix");
  return out;
}

text::GgufVocab padded(text::GgufVocab vocab, std::int64_t rows) {
  while (static_cast<std::int64_t>(vocab.tokens.size()) < rows) {
    vocab.tokens.push_back(cat("[PAD", vocab.tokens.size(), "]"));
    vocab.token_types.push_back(text::kGgufUnused);
    if (!vocab.scores.empty()) vocab.scores.push_back(-1000);  // as llama.cpp's converter does
  }
  return vocab;
}

void vocab_to_gguf(const text::GgufVocab& vocab, io::GgufWriter& writer) {
  writer.set_string("tokenizer.ggml.model", vocab.model);
  if (!vocab.pre.empty()) writer.set_string("tokenizer.ggml.pre", vocab.pre);
  writer.set_strings("tokenizer.ggml.tokens", vocab.tokens);
  if (!vocab.scores.empty()) writer.set_floats("tokenizer.ggml.scores", vocab.scores);
  if (!vocab.token_types.empty())
    writer.set_ints("tokenizer.ggml.token_type", {vocab.token_types.begin(), vocab.token_types.end()});
  if (!vocab.merges.empty()) writer.set_strings("tokenizer.ggml.merges", vocab.merges);
  auto set_id = [&](const char* key, std::optional<std::int32_t> id) {
    if (id) writer.set_u32(key, static_cast<std::uint32_t>(*id));
  };
  set_id("tokenizer.ggml.bos_token_id", vocab.bos);
  set_id("tokenizer.ggml.eos_token_id", vocab.eos);
  set_id("tokenizer.ggml.padding_token_id", vocab.pad);
  set_id("tokenizer.ggml.unknown_token_id", vocab.unk);
  if (vocab.add_bos) writer.set_bool("tokenizer.ggml.add_bos_token", *vocab.add_bos);
  if (vocab.add_eos) writer.set_bool("tokenizer.ggml.add_eos_token", *vocab.add_eos);
  if (vocab.add_space_prefix) writer.set_bool("tokenizer.ggml.add_space_prefix", *vocab.add_space_prefix);
}

}  // namespace reveille::gen
