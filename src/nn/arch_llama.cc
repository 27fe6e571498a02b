// Llama 2 and 3, SmolLM2, Mistral. Reference: transformers' modeling_llama.py, modeling_mistral.py.
#include <cmath>

#include "base/error.h"
#include "nn/architecture.h"

namespace reveille::nn {

namespace {

void read_rope_fields(const Json& scaling, RopeConfig& rope, const Json& config, const std::string& where) {
  rope.type = "default";
  for (const char* key : {"rope_type", "type"}) {
    if (scaling.contains(key) && scaling[key].is_string()) {
      rope.type = scaling[key].get<std::string>();
      break;
    }
  }
  rope.theta = hf_double(scaling, "rope_theta", rope.theta, where);
  rope.factor = hf_double(scaling, "factor", 1, where);
  rope.low_freq_factor = hf_double(scaling, "low_freq_factor", 1, where);
  rope.high_freq_factor = hf_double(scaling, "high_freq_factor", 4, where);
  rope.original_max_position = hf_double(scaling, "original_max_position_embeddings",
                                         hf_double(config, "max_position_embeddings", 2048, where), where);
  rope.beta_fast = hf_double(scaling, "beta_fast", 32, where);
  rope.beta_slow = hf_double(scaling, "beta_slow", 1, where);
  rope.attention_factor = hf_double(scaling, "attention_factor", 0, where);
  rope.mscale = hf_double(scaling, "mscale", 0, where);
  rope.mscale_all_dim = hf_double(scaling, "mscale_all_dim", 0, where);
  rope.truncate = hf_bool(scaling, "truncate", true, where);
}

ModelConfig from_hf(const Json& config, const std::string& where) {
  ModelConfig c = llama_like_from_hf(config, where, "llama");
  c.qkv_bias = c.out_bias = hf_bool(config, "attention_bias", false, where);
  c.mlp_bias = hf_bool(config, "mlp_bias", false, where);
  if (json_string(config, "model_type", where) == "mistral") {
    c.layer_window.assign(static_cast<std::size_t>(c.layers), hf_int(config, "sliding_window", 0, where));
  }
  return c;
}

// A GGUF file's rope.scaling.*; without a type, a factor means "linear", as in llama.cpp.
RopeConfig rope_from_gguf(const GgufKeys& keys, std::int64_t max_positions) {
  RopeConfig rope;
  rope.theta = keys.number("rope.freq_base").value_or(10000);
  auto factor = keys.number("rope.scaling.factor");
  if (!factor) factor = keys.number("rope.scale_linear");  // the key of old files
  rope.type = keys.text("rope.scaling.type").value_or(factor.value_or(0) != 0 ? "linear" : "default");
  if (rope.type == "none") rope.type = "default";
  if (factor.value_or(0) != 0) rope.factor = *factor;
  rope.original_max_position =
      keys.number("rope.scaling.original_context_length").value_or(static_cast<double>(max_positions));
  rope.beta_fast = keys.number("rope.scaling.yarn_beta_fast").value_or(rope.beta_fast);
  rope.beta_slow = keys.number("rope.scaling.yarn_beta_slow").value_or(rope.beta_slow);
  // What these mean changed from version to version of llama.cpp; at 1 they mean nothing.
  for (const char* key : {"attn_factor", "yarn_attn_factor", "yarn_ext_factor"}) {
    if (double value = keys.number(cat("rope.scaling.", key)).value_or(1); value != 1) {
      fail(ErrorKind::unsupported, cat("GGUF metadata 'rope.scaling.", key, "' is ", value, ", expected 1"));
    }
  }
  return rope;
}

}  // namespace

Json rope_to_hf(const RopeConfig& rope) {
  Json out{{"rope_type", rope.type}, {"factor", rope.factor}};
  if (rope.type == "llama3") {
    out["low_freq_factor"] = rope.low_freq_factor;
    out["high_freq_factor"] = rope.high_freq_factor;
  }
  if (rope.type == "yarn") {
    out["beta_fast"] = rope.beta_fast;
    out["beta_slow"] = rope.beta_slow;
  }
  if (rope.type != "linear")
    out["original_max_position_embeddings"] = static_cast<std::int64_t>(rope.original_max_position);
  return out;
}

// Old files say rope_theta and rope_scaling; since version 5 transformers writes rope_parameters.
RopeConfig rope_from_hf(const Json& config, const std::string& where) {
  RopeConfig rope;
  rope.theta = hf_double(config, "rope_theta", 10000, where);
  for (const char* key : {"rope_parameters", "rope_scaling"}) {
    auto found = config.find(key);
    if (found != config.end() && found->is_object()) {
      read_rope_fields(*found, rope, config, where);
      break;
    }
  }
  return rope;
}

ModelConfig llama_like_from_hf(const Json& config, const std::string& where, const std::string& architecture) {
  ModelConfig c;
  c.architecture = architecture;
  c.vocab_size = hf_int(config, "vocab_size", where);
  c.hidden = hf_int(config, "hidden_size", where);
  c.layers = hf_int(config, "num_hidden_layers", where);
  c.heads = hf_int(config, "num_attention_heads", where);
  c.kv_heads = hf_int(config, "num_key_value_heads", c.heads, where);
  c.head_dim = hf_int(config, "head_dim", c.heads > 0 ? c.hidden / c.heads : 0, where);
  c.intermediate = hf_int(config, "intermediate_size", where);
  c.max_positions = hf_int(config, "max_position_embeddings", 2048, where);
  c.norm_eps = hf_double(config, "rms_norm_eps", 1e-6, where);
  c.tied_head = hf_bool(config, "tie_word_embeddings", false, where);
  std::string act = config.contains("hidden_act") ? json_string(config, "hidden_act", where) : "silu";
  if (act != "silu")
    fail(ErrorKind::unsupported, cat(where, ": hidden_act '", act, "' is not supported (expected silu)"));
  check_config(c, where);
  c.rope = {rope_from_hf(config, where)};
  c.layer_window.assign(static_cast<std::size_t>(c.layers), 0);
  c.layer_rope.assign(static_cast<std::size_t>(c.layers), 0);
  return c;
}

ModelConfig llama_like_from_gguf(const GgufKeys& keys, const std::string& architecture) {
  ModelConfig c;
  c.architecture = architecture;
  auto whole = [&](const char* key) { return static_cast<std::int64_t>(keys.need(key)); };
  c.hidden = whole("embedding_length");
  c.layers = whole("block_count");
  c.heads = whole("attention.head_count");
  c.kv_heads = static_cast<std::int64_t>(keys.number("attention.head_count_kv").value_or(static_cast<double>(c.heads)));
  const std::int64_t split_evenly = c.heads > 0 ? c.hidden / c.heads : 0;
  c.head_dim =
      static_cast<std::int64_t>(keys.number("attention.key_length").value_or(static_cast<double>(split_evenly)));
  c.intermediate = whole("feed_forward_length");
  c.max_positions = whole("context_length");
  c.norm_eps = keys.need("attention.layer_norm_rms_epsilon");
  c.rope = {rope_from_gguf(keys, c.max_positions)};
  if (c.layers >= 1 && c.layers <= 1000) {
    c.layer_window.assign(static_cast<std::size_t>(c.layers), 0);
    c.layer_rope.assign(static_cast<std::size_t>(c.layers), 0);
  }
  return c;
}

Json llama_like_to_hf(const ModelConfig& c) {
  const Architecture& architecture = architecture_of(c.architecture);
  Json out{{"architectures", Json::array({architecture.hf_class})},
           {"model_type", architecture.model_types.front()},
           {"vocab_size", c.vocab_size},
           {"hidden_size", c.hidden},
           {"intermediate_size", c.intermediate},
           {"num_hidden_layers", c.layers},
           {"num_attention_heads", c.heads},
           {"num_key_value_heads", c.kv_heads},
           {"head_dim", c.head_dim},
           {"hidden_act", "silu"},
           {"max_position_embeddings", c.max_positions},
           {"rms_norm_eps", c.norm_eps},
           {"rope_theta", c.rope[0].theta},
           {"tie_word_embeddings", c.tied_head},
           {"attention_bias", c.qkv_bias},
           {"use_cache", true}};
  if (c.rope[0].type != "default") out["rope_scaling"] = rope_to_hf(c.rope[0]);
  if (c.architecture == "llama") out["mlp_bias"] = c.mlp_bias;
  return out;
}

Architecture llama_architecture() {
  return {"llama",
          {"llama", "mistral"},
          "LlamaForCausalLM",
          from_hf,
          [](const GgufKeys& keys) { return llama_like_from_gguf(keys, "llama"); },
          llama_like_to_hf,
          decoder_params};
}

}  // namespace reveille::nn
