#include "nn/config.h"

namespace reveille::nn {
namespace {

// Names of the llama family; GPT-2 has its own list in arch_gpt2.cc.
struct Builder {
  const ModelConfig& c;
  std::vector<ParamSpec> out;

  PieceForm norm_form() const { return c.norm == NormKind::rms_plus_one ? PieceForm::gguf_plus_one : PieceForm::plain; }

  void norm(const std::string& name, std::int64_t width, const std::string& hf, const std::string& gguf) {
    out.push_back({name, {width}, {{hf, gguf, width, PieceForm::plain, norm_form()}}});
  }

  void matrix(const std::string& name, std::int64_t in, std::vector<ParamPiece> pieces, bool bias) {
    std::int64_t rows = 0;
    for (auto& piece : pieces) rows += piece.rows;
    std::vector<ParamPiece> biases = pieces;
    for (auto& piece : pieces) {
      piece.hf_name += ".weight";
      piece.gguf_name += ".weight";
    }
    out.push_back({name, {rows, in}, std::move(pieces), true});
    if (!bias) return;
    for (auto& piece : biases) {
      piece.hf_name += ".bias";
      piece.gguf_name += ".bias";
    }
    out.push_back({name + ".bias", {rows}, std::move(biases)});
  }

  void layer(std::int64_t index) {
    const std::string ours = "layers." + std::to_string(index) + ".";
    const std::string hf = "model.layers." + std::to_string(index) + ".";
    const std::string gguf = "blk." + std::to_string(index) + ".";
    const bool rotary = c.architecture == "llama";
    auto rotary_piece = [&](const char* name, const char* short_name, std::int64_t heads) {
      return ParamPiece{hf + "self_attn." + name,
                        gguf + short_name,
                        heads * c.head_dim,
                        PieceForm::plain,
                        rotary ? PieceForm::gguf_rotary : PieceForm::plain,
                        heads};
    };
    norm(ours + "attn_norm", c.hidden, hf + "input_layernorm.weight", gguf + "attn_norm.weight");
    matrix(ours + "qkv", c.hidden,
           {rotary_piece("q_proj", "attn_q", c.heads), rotary_piece("k_proj", "attn_k", c.kv_heads),
            ParamPiece{hf + "self_attn.v_proj", gguf + "attn_v", c.kv_heads * c.head_dim}},
           c.qkv_bias);
    if (c.qk_norm) {
      norm(ours + "q_norm", c.head_dim, hf + "self_attn.q_norm.weight", gguf + "attn_q_norm.weight");
      norm(ours + "k_norm", c.head_dim, hf + "self_attn.k_norm.weight", gguf + "attn_k_norm.weight");
    }
    matrix(ours + "attn_out", c.heads * c.head_dim, {{hf + "self_attn.o_proj", gguf + "attn_output", c.hidden}},
           c.out_bias);
    if (c.sandwich_norms) {
      norm(ours + "attn_post_norm", c.hidden, hf + "post_attention_layernorm.weight",
           gguf + "post_attention_norm.weight");
    }
    norm(ours + "mlp_norm", c.hidden,
         hf + (c.sandwich_norms ? "pre_feedforward_layernorm.weight" : "post_attention_layernorm.weight"),
         gguf + "ffn_norm.weight");
    matrix(ours + "gate_up", c.hidden,
           {{hf + "mlp.gate_proj", gguf + "ffn_gate", c.intermediate},
            {hf + "mlp.up_proj", gguf + "ffn_up", c.intermediate}},
           c.mlp_bias);
    matrix(ours + "down", c.intermediate, {{hf + "mlp.down_proj", gguf + "ffn_down", c.hidden}}, c.mlp_bias);
    if (c.sandwich_norms) {
      norm(ours + "mlp_post_norm", c.hidden, hf + "post_feedforward_layernorm.weight", gguf + "post_ffw_norm.weight");
    }
  }
};

}  // namespace

std::vector<ParamSpec> decoder_params(const ModelConfig& c) {
  Builder builder{c, {}};
  builder.out.push_back(
      {"embed", {c.vocab_size, c.hidden}, {{"model.embed_tokens.weight", "token_embd.weight", c.vocab_size}}});
  for (std::int64_t i = 0; i < c.layers; ++i) builder.layer(i);
  builder.norm("final_norm", c.hidden, "model.norm.weight", "output_norm.weight");
  if (!c.tied_head) {
    builder.out.push_back(
        {"head", {c.vocab_size, c.hidden}, {{"lm_head.weight", "output.weight", c.vocab_size}}, true});
  }
  return std::move(builder.out);
}

}  // namespace reveille::nn
