// GPT-2: learned positions, LayerNorm with bias, plain GELU MLP; files store [in, out].
// Reference: transformers' modeling_gpt2.py.
#include "base/error.h"
#include "nn/architecture.h"

namespace reveille::nn {
namespace {

void common(ModelConfig& c) {
  c.architecture = "gpt2";
  c.norm = NormKind::layer;
  c.activation = Activation::gelu_tanh;
  c.gated_mlp = false;
  c.tied_head = true;
  c.qkv_bias = c.out_bias = c.mlp_bias = true;
  c.learned_positions = true;
  c.kv_heads = c.heads;
  c.head_dim = c.heads > 0 ? c.hidden / c.heads : 0;
}

void per_layer(ModelConfig& c, const std::string& where) {
  check_config(c, where);
  c.layer_window.assign(static_cast<std::size_t>(c.layers), 0);
  c.layer_rope.assign(static_cast<std::size_t>(c.layers), 0);
}

ModelConfig from_hf(const Json& config, const std::string& where) {
  ModelConfig c;
  c.vocab_size = hf_int(config, "vocab_size", 50257, where);
  c.hidden = hf_int(config, "n_embd", 768, where);
  c.layers = hf_int(config, "n_layer", 12, where);
  c.heads = hf_int(config, "n_head", 12, where);
  c.intermediate = hf_int(config, "n_inner", 4 * c.hidden, where);
  c.max_positions = hf_int(config, "n_positions", 1024, where);
  c.norm_eps = hf_double(config, "layer_norm_epsilon", 1e-5, where);
  std::string act =
      config.contains("activation_function") ? json_string(config, "activation_function", where) : "gelu_new";
  if (act != "gelu_new" && act != "gelu_pytorch_tanh") {
    fail(ErrorKind::unsupported, cat(where, ": activation_function '", act, "' is not supported (expected gelu_new)"));
  }
  for (const char* key : {"scale_attn_by_inverse_layer_idx", "add_cross_attention"}) {
    if (hf_bool(config, key, false, where)) fail(ErrorKind::unsupported, cat(where, ": ", key, " is not supported"));
  }
  common(c);
  c.tied_head = hf_bool(config, "tie_word_embeddings", true, where);
  per_layer(c, where);
  return c;
}

ModelConfig from_gguf(const GgufKeys& keys) {
  ModelConfig c;
  c.hidden = static_cast<std::int64_t>(keys.need("embedding_length"));
  c.layers = static_cast<std::int64_t>(keys.need("block_count"));
  c.heads = static_cast<std::int64_t>(keys.need("attention.head_count"));
  c.intermediate = static_cast<std::int64_t>(keys.need("feed_forward_length"));
  c.max_positions = static_cast<std::int64_t>(keys.need("context_length"));
  c.norm_eps = keys.need("attention.layer_norm_epsilon");
  c.vocab_size = 1;  // set from the embedding tensor
  common(c);
  per_layer(c, "GGUF metadata");
  return c;
}

Json to_hf(const ModelConfig& c) {
  return Json{{"architectures", Json::array({"GPT2LMHeadModel"})},
              {"model_type", "gpt2"},
              {"vocab_size", c.vocab_size},
              {"n_embd", c.hidden},
              {"n_layer", c.layers},
              {"n_head", c.heads},
              {"n_inner", c.intermediate},
              {"n_positions", c.max_positions},
              {"n_ctx", c.max_positions},
              {"layer_norm_epsilon", c.norm_eps},
              {"activation_function", "gelu_new"},
              {"tie_word_embeddings", c.tied_head}};
}

std::vector<ParamSpec> params(const ModelConfig& c) {
  std::vector<ParamSpec> out;
  auto norm = [&](const std::string& name, const std::string& hf, const std::string& gguf) {
    out.push_back({name, {c.hidden}, {{hf + ".weight", gguf + ".weight", c.hidden}}});
    out.push_back({name + ".bias", {c.hidden}, {{hf + ".bias", gguf + ".bias", c.hidden}}});
  };
  auto matrix = [&](const std::string& name, std::int64_t rows, std::int64_t in, const std::string& hf,
                    const std::string& gguf) {
    out.push_back({name, {rows, in}, {{hf + ".weight", gguf + ".weight", rows, PieceForm::transposed}}, true});
    out.push_back({name + ".bias", {rows}, {{hf + ".bias", gguf + ".bias", rows}}});
  };
  out.push_back({"embed", {c.vocab_size, c.hidden}, {{"transformer.wte.weight", "token_embd.weight", c.vocab_size}}});
  out.push_back({"positions",
                 {c.max_positions, c.hidden},
                 {{"transformer.wpe.weight", "position_embd.weight", c.max_positions}}});
  for (std::int64_t i = 0; i < c.layers; ++i) {
    const std::string n = std::to_string(i), ours = "layers." + n + ".", hf = "transformer.h." + n + ".",
                      gguf = "blk." + n + ".";
    norm(ours + "attn_norm", hf + "ln_1", gguf + "attn_norm");
    matrix(ours + "qkv", 3 * c.hidden, c.hidden, hf + "attn.c_attn", gguf + "attn_qkv");
    matrix(ours + "attn_out", c.hidden, c.hidden, hf + "attn.c_proj", gguf + "attn_output");
    norm(ours + "mlp_norm", hf + "ln_2", gguf + "ffn_norm");
    matrix(ours + "gate_up", c.intermediate, c.hidden, hf + "mlp.c_fc", gguf + "ffn_up");
    matrix(ours + "down", c.hidden, c.intermediate, hf + "mlp.c_proj", gguf + "ffn_down");
  }
  norm("final_norm", "transformer.ln_f", "output_norm");
  if (!c.tied_head)
    out.push_back({"head", {c.vocab_size, c.hidden}, {{"lm_head.weight", "output.weight", c.vocab_size}}, true});
  return out;
}

}  // namespace

Architecture gpt2_architecture() { return {"gpt2", {"gpt2"}, "GPT2LMHeadModel", from_hf, from_gguf, to_hf, params}; }

}  // namespace reveille::nn
