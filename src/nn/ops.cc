// Chooses between the kernels and the stock operators.
#include "nn/ops.h"

#include <ATen/ATen.h>

#include "nn/dispatch.h"
#include "nn/ops_stock.h"

namespace reveille::nn {

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, bool plus_one, at::ScalarType out) {
  return stock::rms_norm(x, weight, eps, plus_one, out);
}

std::tuple<at::Tensor, at::Tensor> add_rms_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight,
                                                double eps, bool plus_one, at::ScalarType out) {
  return stock::add_rms_norm(x, delta, weight, eps, plus_one, out);
}

at::Tensor gated(const at::Tensor& gate_up, Activation activation) { return stock::gated(gate_up, activation); }

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return stock::linear(x, weight, bias);
}

at::Tensor embed(const at::Tensor& ids, const at::Tensor& weight, double scale) {
  return stock::embed(ids, weight, scale);
}

at::Tensor attention(const at::Tensor& qkv, const Packing& packing, const AttentionSpec& spec) {
  return stock::attention(qkv, packing, spec);
}

at::Tensor attention_cached(const at::Tensor& qkv, const Packing& packing, const AttentionSpec& spec, LayerCache& cache,
                            const std::vector<std::int64_t>& slots) {
  return stock::attention_cached(qkv, packing, spec, cache, slots);
}

HeadLoss head_loss(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                   const at::Tensor& row_weights, double softcap) {
  return stock::head_loss(hidden, weight, targets, row_weights, softcap);
}

at::Tensor head_logprobs(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                         double softcap) {
  return stock::head_logprobs(hidden, weight, targets, softcap);
}

std::tuple<at::Tensor, at::Tensor> sample(const at::Tensor& logits, double temperature, std::int64_t top_k,
                                          double top_p, const at::Tensor& coins) {
  return stock::sample(logits, temperature, top_k, top_p, coins);
}

void adamw_step(std::vector<AdamWSlot>& slots, double learning_rate, double beta1, double beta2, double eps,
                std::int64_t step, double grad_scale) {
  at::NoGradGuard no_grad;
  for (AdamWSlot& slot : slots) stock::adamw_step(slot, learning_rate, beta1, beta2, eps, step, grad_scale);
}

double global_norm(const std::vector<at::Tensor>& tensors) {
  at::NoGradGuard no_grad;
  return stock::global_norm(tensors);
}

}  // namespace reveille::nn
