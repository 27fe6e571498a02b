// The operators of ops.h out of stock ATen operators: any device, any floating type. They are
// what the vectorised kernels are tested against, and what runs where there are none.
#pragma once

#include "nn/ops.h"

namespace reveille::nn::stock {

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, bool plus_one, at::ScalarType out);
std::tuple<at::Tensor, at::Tensor> add_rms_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight,
                                                double eps, bool plus_one, at::ScalarType out);
at::Tensor gated(const at::Tensor& gate_up, Activation activation);
at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias);
at::Tensor linear_packed(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, at::ScalarType out);
at::Tensor embed(const at::Tensor& ids, const at::Tensor& weight, double scale);

at::Tensor attention(const at::Tensor& qkv, const Packing& packing, const AttentionSpec& spec);
at::Tensor attention_cached(const at::Tensor& qkv, const Packing& packing, const AttentionSpec& spec, LayerCache& cache,
                            const std::vector<std::int64_t>& slots);

HeadLoss head_loss(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                   const at::Tensor& row_weights, double softcap);
at::Tensor head_logprobs(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets, double softcap);

std::tuple<at::Tensor, at::Tensor> sample(const at::Tensor& logits, double temperature, std::int64_t top_k,
                                          double top_p, const at::Tensor& coins);

void adamw_step(const AdamWSlot& slot, double learning_rate, double beta1, double beta2, double eps, std::int64_t step,
                double grad_scale);
double global_norm(const std::vector<at::Tensor>& tensors);

}  // namespace reveille::nn::stock
