// What a decoder-only transformer is made of, independent of the file format it came from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "nn/ops.h"

namespace reveille::nn {

// Rotary position embedding; the variants that the supported families use.
struct RopeConfig {
  double theta = 10000;
  std::string type = "default";  // default, linear, llama3, yarn
  double factor = 1;
  // llama3
  double low_freq_factor = 1, high_freq_factor = 4;
  double original_max_position = 0;  // llama3, yarn
  // yarn (Peng et al., arXiv 2309.00071)
  double beta_fast = 32, beta_slow = 1;
  double attention_factor = 0;  // 0: derived from the factor
  double mscale = 0, mscale_all_dim = 0;
  bool truncate = true;
};

enum class NormKind { rms, rms_plus_one, layer };  // rms_plus_one: Gemma's 1 + weight

struct ModelConfig {
  std::string architecture;  // name of our architecture file: llama, qwen2, qwen3, gemma3, gpt2
  std::int64_t vocab_size = 0, hidden = 0, layers = 0, heads = 0, kv_heads = 0, head_dim = 0, intermediate = 0;
  std::int64_t max_positions = 0;
  double norm_eps = 1e-5;
  NormKind norm = NormKind::rms;
  Activation activation = Activation::silu;
  bool gated_mlp = true;  // false: up, activation, down (GPT-2)
  bool tied_head = false;
  bool qkv_bias = false, out_bias = false, mlp_bias = false;
  bool qk_norm = false;         // RMSNorm of every head's query and key before the rotary embedding
  bool sandwich_norms = false;  // norms after attention and after the MLP as well (Gemma)
  bool learned_positions = false;
  double embed_scale = 1;
  double attention_scale = 0;  // of q.k; 0: 1 / sqrt(head_dim)
  double final_softcap = 0;
  // Layer l sees layer_window[l] tokens (0: all) and uses rope[layer_rope[l]].
  std::vector<std::int64_t> layer_window;
  std::vector<std::int64_t> layer_rope;
  std::vector<RopeConfig> rope;      // empty: no rotary embedding
  std::vector<double> rope_factors;  // GGUF's rope_freqs: divisors of the frequencies, replaces llama3's rule

  std::int64_t qkv_width() const { return (heads + 2 * kv_heads) * head_dim; }
};

// How a piece of one of our (fused) parameters stands in a file.
enum class PieceForm {
  plain,
  transposed,     // GPT-2's Conv1D stores [in, out]
  gguf_rotary,    // GGUF's llama stores q and k rows in interleaved rotary order
  gguf_plus_one,  // GGUF's Gemma stores 1 + weight
};

struct ParamPiece {
  std::string hf_name, gguf_name;
  std::int64_t rows = 0;  // of the fused parameter, in order
  PieceForm hf_form = PieceForm::plain, gguf_form = PieceForm::plain;
  std::int64_t rotary_heads = 0;  // for gguf_rotary
};

struct ParamSpec {
  std::string name;                 // ours: "layers.3.qkv"
  std::vector<std::int64_t> shape;  // ours
  std::vector<ParamPiece> pieces;
  bool linear = false;  // a weight matrix of a linear layer: LoRA may attach, weight decay applies
};

// Parameters of a configuration, in a fixed order (each architecture file fills in the names).
std::vector<ParamSpec> decoder_params(const ModelConfig& config);

}  // namespace reveille::nn
