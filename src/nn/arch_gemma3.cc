// Gemma 3, text only: RMSNorm of 1 + weight, norms around both halves of a block, norms of
// queries and keys, five sliding layers to one full one with their own rotary base.
// Reference: transformers' modeling_gemma3.py.
#include <cmath>

#include "base/error.h"
#include "nn/architecture.h"

namespace reveille::nn {
namespace {

void common(ModelConfig& c) {
  c.norm = NormKind::rms_plus_one;
  c.activation = Activation::gelu_tanh;
  c.qk_norm = true;
  c.sandwich_norms = true;
  c.tied_head = true;
  c.embed_scale = std::sqrt(static_cast<double>(c.hidden));
}

// Which layers slide: "layer_types" says so, else every sliding_window_pattern-th is full.
void set_layers(ModelConfig& c, const Json* types, std::int64_t pattern, std::int64_t window,
                const std::string& where) {
  if (types && static_cast<std::int64_t>(types->size()) != c.layers) {
    fail(ErrorKind::bad_input, cat(where, ": layer_types names ", types->size(), " layers, expected ", c.layers));
  }
  c.layer_window.clear();
  c.layer_rope.clear();
  for (std::int64_t i = 0; i < c.layers; ++i) {
    bool slides = types ? (*types)[static_cast<std::size_t>(i)] == "sliding_attention" : (i + 1) % pattern != 0;
    c.layer_window.push_back(slides ? window : 0);
    c.layer_rope.push_back(slides ? 0 : 1);
  }
}

RopeConfig rope_of(const Json& config, const char* kind, const char* old_key, double fallback,
                   const std::string& where) {
  Json view = config;
  auto parameters = config.find("rope_parameters");
  view["rope_theta"] = hf_double(config, old_key, fallback, where);
  if (parameters != config.end() && parameters->is_object() && parameters->contains(kind)) {
    view["rope_parameters"] = (*parameters)[kind];
  } else {
    view.erase("rope_parameters");
  }
  if (std::string(kind) == "sliding_attention") view.erase("rope_scaling");  // it scales the full layers only
  return rope_from_hf(view, where);
}

ModelConfig from_hf(const Json& config, const std::string& where) {
  Json shaped = config;
  shaped["hidden_act"] = "silu";  // checked below under its own name
  if (!config.contains("vocab_size")) shaped["vocab_size"] = 262208;
  if (!config.contains("num_key_value_heads")) shaped["num_key_value_heads"] = 4;
  shaped["head_dim"] = hf_int(config, "head_dim", 256, where);
  ModelConfig c = llama_like_from_hf(shaped, where, "gemma3");
  std::string act =
      config.contains("hidden_activation") ? json_string(config, "hidden_activation", where) : "gelu_pytorch_tanh";
  if (act != "gelu_pytorch_tanh") fail(ErrorKind::unsupported, cat(where, ": hidden_activation '", act, "'"));
  common(c);
  c.tied_head = hf_bool(config, "tie_word_embeddings", true, where);
  c.attention_scale = 1.0 / std::sqrt(hf_double(config, "query_pre_attn_scalar", 256, where));
  c.final_softcap = hf_double(config, "final_logit_softcapping", 0, where);
  if (hf_double(config, "attn_logit_softcapping", 0, where) != 0) {
    fail(ErrorKind::unsupported, cat(where, ": attn_logit_softcapping is not supported"));
  }
  auto types = config.find("layer_types");
  bool listed = types != config.end() && types->is_array();
  std::int64_t pattern =
      hf_int(config, "sliding_window_pattern", hf_int(config, "_sliding_window_pattern", 6, where), where);
  if (pattern < 1) fail(ErrorKind::bad_input, cat(where, ": sliding_window_pattern is ", pattern));
  set_layers(c, listed ? &*types : nullptr, pattern, hf_int(config, "sliding_window", 4096, where), where);
  c.rope = {rope_of(config, "sliding_attention", "rope_local_base_freq", 10000, where),
            rope_of(config, "full_attention", "rope_theta", 1e6, where)};
  return c;
}

ModelConfig from_gguf(const GgufKeys& keys) {
  ModelConfig c = llama_like_from_gguf(keys, "gemma3");
  check_config(
      [&] {
        auto d = c;
        d.vocab_size = 1;
        return d;
      }(),
      "GGUF metadata");
  common(c);
  RopeConfig local;
  local.theta = keys.number("rope.freq_base_swa").value_or(10000);
  if (!keys.number("rope.freq_base")) c.rope[0].theta = 1e6;
  c.rope = {local, c.rope[0]};
  c.attention_scale = gemma3_gguf_attention_scale(c);
  c.final_softcap = keys.number("final_logit_softcapping").value_or(0);
  auto window = static_cast<std::int64_t>(keys.number("attention.sliding_window").value_or(0));
  // Without a window all layers see everything, as in llama.cpp.
  double period = window > 0 ? keys.number("attention.sliding_window_pattern").value_or(6) : 1;
  if (!(period >= 1 && period <= 1e6)) {
    fail(ErrorKind::bad_input, cat("GGUF metadata 'attention.sliding_window_pattern' is ", period, ", expected 1 on"));
  }
  set_layers(c, nullptr, static_cast<std::int64_t>(period), window, "GGUF");
  return c;
}

Json to_hf(const ModelConfig& c) {
  Json out = llama_like_to_hf(c);
  out.erase("hidden_act");
  out["hidden_activation"] = "gelu_pytorch_tanh";
  out["query_pre_attn_scalar"] = std::llround(1.0 / (c.attention_scale * c.attention_scale));
  out["rope_theta"] = c.rope[1].theta;
  out["rope_local_base_freq"] = c.rope[0].theta;
  if (c.rope[1].type != "default") out["rope_scaling"] = rope_to_hf(c.rope[1]);
  out["final_logit_softcapping"] = c.final_softcap != 0 ? Json(c.final_softcap) : Json(nullptr);
  Json types = Json::array();
  std::int64_t window = 4096;
  for (auto w : c.layer_window) {
    types.push_back(w ? "sliding_attention" : "full_attention");
    if (w) window = w;
  }
  out["layer_types"] = types;
  out["sliding_window"] = window;
  return out;
}

}  // namespace

// 62 layers are the 27B model, whose scalar is hidden_size / num_attention_heads (gemma_pytorch's config.py).
double gemma3_gguf_attention_scale(const ModelConfig& c) {
  const std::int64_t scalar = c.layers == 62 ? c.hidden / c.heads : c.head_dim;
  return 1.0 / std::sqrt(static_cast<double>(scalar));
}

Architecture gemma3_architecture() {
  return {"gemma3", {"gemma3_text"}, "Gemma3ForCausalLM", from_hf, from_gguf, to_hf, decoder_params};
}

}  // namespace reveille::nn
