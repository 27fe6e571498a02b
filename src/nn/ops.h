// The operators that the transformer blocks are made of.
//
// Rows of several sequences lie end to end ("packed"): there is no padding, so no work is
// done on it. Every function that takes part in training is differentiable with respect to
// all its floating-point inputs (latent attacks need gradients of inputs) and has two
// implementations: stock ATen operators (any device, the reference) and vectorised CPU
// kernels (kernels.h), chosen at run time by device and instruction set.
//
// Types: the residual stream is float32. "Compute type" is bfloat16 or float32; reductions
// and softmax are float32 whatever the compute type.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

namespace reveille::nn {

// Where each sequence of a packed batch lies, and the position of each of its tokens. Rows before
// offsets[0] are a prefix that all sequences share: each continues it, and it is computed once.
struct Packing {
  std::vector<std::int64_t> offsets;  // [batch + 1]; sequence i is rows offsets[i] .. offsets[i+1]
  std::vector<std::int64_t> starts;   // [batch]; position of each sequence's first row (0 without cache or prefix)
  at::Tensor positions;               // [tokens] int64, on the device of the model
  std::int64_t shared() const { return offsets.front(); }
  std::int64_t batch() const { return static_cast<std::int64_t>(offsets.size()) - 1; }
  std::int64_t tokens() const { return offsets.back(); }
};

// Builds a packing from sequence lengths; `starts` empty means all zero.
Packing make_packing(const std::vector<std::int64_t>& lengths, const std::vector<std::int64_t>& starts,
                     at::Device device);

// The same for sequences that go on after `shared` common rows; `lengths` count what follows them.
Packing make_shared_packing(std::int64_t shared, const std::vector<std::int64_t>& lengths, at::Device device);

// How many first tokens all sequences have in common, 0 where sharing them would gain nothing. At
// least one token of each sequence is left.
std::int64_t shared_prefix(const std::vector<std::span<const std::int32_t>>& sequences);

enum class Activation { silu, gelu_tanh };

// x [rows, width] (float32 or compute type), weight [width] -> [rows, width] in `out` type.
// y = x / sqrt(mean(x^2) + eps) * (plus_one ? 1 + weight : weight). `plus_one` is Gemma's form.
at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, bool plus_one, at::ScalarType out);

// sum = x + delta (float32); y = rms_norm(sum). One pass. -> {sum, y}
std::tuple<at::Tensor, at::Tensor> add_rms_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight,
                                                double eps, bool plus_one, at::ScalarType out);

// gate_up [rows, 2 * width], gate in the first half -> act(gate) * up, [rows, width].
at::Tensor gated(const at::Tensor& gate_up, Activation activation);

// x [rows, in] @ weight [out, in]^T (+ bias). The products are in weight's type.
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);

// A weight laid out for products without gradients (decoding, scoring), where this machine has
// kernels for that; made again whenever the weight changes.
struct PackedWeight {
  at::Tensor weight;  // [out, in], as given
  at::Tensor packed;  // undefined where stock operators serve
};
PackedWeight pack_weight(const at::Tensor& weight);

// linear() with a packed weight, results in `out`: float32 results (logits, say) are not rounded on
// the way.
at::Tensor linear_packed(const at::Tensor& x, const PackedWeight& weight, const at::Tensor& bias, at::ScalarType out);

// ids [rows] int64, weight [vocab, width] -> weight[ids] * scale as float32 [rows, width].
at::Tensor embed(const at::Tensor& ids, const at::Tensor& weight, double scale);

struct AttentionSpec {
  std::int64_t heads = 0, kv_heads = 0, head_dim = 0;
  double scale = 0;         // of q.k before softmax
  std::int64_t window = 0;  // 0: full causal; w: a token sees itself and the w - 1 before it
  at::Tensor cos, sin;      // [max positions, head_dim] float32; undefined: no rotary embedding
};

// qkv [tokens, (heads + 2 kv_heads) * head_dim], in the order q, k, v -> [tokens, heads * head_dim].
// Rotary embedding (rotate-half form) of q and k at their positions, then causal attention
// within each sequence of the packing (without a cache: starts are 0, or follow the shared prefix).
at::Tensor attention(const at::Tensor& qkv, const Packing& packing, const AttentionSpec& spec);

// Keys and values of one layer: [slots, kv_heads, capacity, head_dim] each, compute type.
struct LayerCache {
  at::Tensor keys, values;
};

// The same for inference with a cache (no gradient): row r of sequence i has position
// starts[i] + r; its key and value are written to slot slots[i] at that position, and it
// attends to all earlier positions of its slot. Prefill, continuation and decoding alike.
at::Tensor attention_cached(const at::Tensor& qkv, const Packing& packing, const AttentionSpec& spec, LayerCache& cache,
                            const std::vector<std::int64_t>& slots);

// Cross-entropy through the output head, in chunks of rows, without keeping the logits.
// hidden [rows, width] compute type; weight [vocab, width]; targets [rows] int64;
// row_weights [rows] float32 (0 leaves a row out); softcap 0 means none.
struct HeadLoss {
  at::Tensor loss;      // scalar float32: sum over rows of row_weights * -log p(target); differentiable
  at::Tensor logprobs;  // [rows] float32, log p(target), no gradient
  at::Tensor correct;   // [rows] bool: no logit is above the target's
  at::Tensor entropy;   // [rows] float32, nats
};
HeadLoss head_loss(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                   const at::Tensor& row_weights, double softcap = 0);

// log p(target) for each row, no gradient: [rows] float32.
at::Tensor head_logprobs(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                         double softcap = 0);

// logits [rows, vocab] (any float type) -> {ids [rows] int64, log p(id) [rows] float32}.
// log p is the model's own (temperature 1, no truncation). temperature <= 0 is greedy (ties to
// the lowest id); top_k 0 and top_p 1 mean off; coins [rows] float64 on the CPU in [0, 1): the
// draw is a pure function of (logits, coin). Truncation order: temperature, top-k, top-p.
std::tuple<at::Tensor, at::Tensor> sample(const at::Tensor& logits, double temperature, std::int64_t top_k,
                                          double top_p, const at::Tensor& coins);

// One AdamW step over lists of tensors (Loshchilov & Hutter, arXiv 1711.05101; the update of
// torch.optim.AdamW). master, m, v float32; grad float32 or bfloat16, multiplied by grad_scale
// first; weight (may be undefined) receives master in the compute type.
struct AdamWSlot {
  at::Tensor master, m, v, grad, weight;
  double weight_decay = 0;
};
void adamw_step(std::vector<AdamWSlot>& slots, double learning_rate, double beta1, double beta2, double eps,
                std::int64_t step, double grad_scale);

// sqrt of the sum of squares over all tensors (float64 accumulation).
double global_norm(const std::vector<at::Tensor>& tensors);

// Whether the vectorised CPU kernels are used ("amx_bf16", "avx512_bf16", "avx512", "avx2", "stock").
const char* kernel_name();
// For tests and benchmarks: forces the stock operators.
void force_stock_operators(bool on);

}  // namespace reveille::nn
