// Chooses between the kernels and the stock operators.
#include "nn/ops.h"

#include <ATen/ATen.h>

#include "nn/dispatch.h"
#include "nn/ops_stock.h"

namespace reveille::nn {

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  return stock::linear(x, weight, bias);
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

}  // namespace reveille::nn
