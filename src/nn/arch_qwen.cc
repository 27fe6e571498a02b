// Qwen 2, 2.5 and 3 (dense). Reference: transformers' modeling_qwen2.py, modeling_qwen3.py.
#include <algorithm>

#include "nn/architecture.h"

namespace reveille::nn {
namespace {

// use_sliding_window: the layers from max_window_layers on see sliding_window tokens.
void read_windows(const Json& config, ModelConfig& c, const std::string& where) {
  if (!hf_bool(config, "use_sliding_window", false, where)) return;
  std::int64_t window = hf_int(config, "sliding_window", 0, where);
  std::int64_t first = std::max<std::int64_t>(0, hf_int(config, "max_window_layers", c.layers, where));
  for (std::int64_t i = first; i < c.layers; ++i) c.layer_window[static_cast<std::size_t>(i)] = window;
}

ModelConfig qwen2_from_hf(const Json& config, const std::string& where) {
  ModelConfig c = llama_like_from_hf(config, where, "qwen2");
  c.qkv_bias = true;
  read_windows(config, c, where);
  return c;
}

ModelConfig qwen3_from_hf(const Json& config, const std::string& where) {
  ModelConfig c = llama_like_from_hf(config, where, "qwen3");
  c.qkv_bias = c.out_bias = hf_bool(config, "attention_bias", false, where);
  c.head_dim = hf_int(config, "head_dim", 128, where);
  c.qk_norm = true;
  read_windows(config, c, where);
  return c;
}

ModelConfig qwen2_from_gguf(const GgufKeys& keys) {
  ModelConfig c = llama_like_from_gguf(keys, "qwen2");
  c.qkv_bias = true;
  return c;
}

ModelConfig qwen3_from_gguf(const GgufKeys& keys) {
  ModelConfig c = llama_like_from_gguf(keys, "qwen3");
  c.qk_norm = true;
  return c;
}

Json to_hf(const ModelConfig& c) {
  Json out = llama_like_to_hf(c);
  if (c.architecture == "qwen2") out.erase("attention_bias");
  out["use_sliding_window"] = false;
  return out;
}

}  // namespace

Architecture qwen2_architecture() {
  return {"qwen2", {"qwen2"}, "Qwen2ForCausalLM", qwen2_from_hf, qwen2_from_gguf, to_hf, decoder_params};
}

Architecture qwen3_architecture() {
  return {"qwen3", {"qwen3"}, "Qwen3ForCausalLM", qwen3_from_hf, qwen3_from_gguf, to_hf, decoder_params};
}

}  // namespace reveille::nn
