#include <ATen/ATen.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "nn/ops_stock.h"

namespace reveille::nn::stock {
namespace {

constexpr std::int64_t kChunk = 1024;  // rows whose logits exist at one time

// float32 logits of a chunk; `capped` says what the soft cap did, for its derivative.
at::Tensor chunk_logits(const at::Tensor& hidden, const at::Tensor& weight, double softcap) {
  at::Tensor logits = at::matmul(hidden.to(weight.scalar_type()), weight.t()).to(at::kFloat);
  return softcap > 0 ? at::tanh(logits / softcap) * softcap : logits;
}

// The gradient is found in the forward pass, chunk by chunk, because the loss is a scalar:
// backward only scales it, and no logits are kept.
struct HeadLossFunction : torch::autograd::Function<HeadLossFunction> {
  static torch::autograd::variable_list forward(torch::autograd::AutogradContext* context, at::Tensor hidden,
                                                at::Tensor weight, at::Tensor targets, at::Tensor row_weights,
                                                double softcap, bool wants_hidden, bool wants_weight) {
    const std::int64_t rows = hidden.size(0);
    auto wide = hidden.options().dtype(at::kFloat);
    at::Tensor logprobs = at::empty({rows}, wide), entropy = at::empty({rows}, wide);
    at::Tensor correct = at::empty({rows}, hidden.options().dtype(at::kBool));
    at::Tensor grad_hidden = wants_hidden ? at::empty(hidden.sizes(), wide) : at::Tensor();
    at::Tensor grad_weight = wants_weight ? at::zeros(weight.sizes(), wide) : at::Tensor();
    for (std::int64_t first = 0; first < rows; first += kChunk) {
      const std::int64_t count = std::min(kChunk, rows - first);
      at::Tensor part = hidden.narrow(0, first, count).to(weight.scalar_type());
      at::Tensor target = targets.narrow(0, first, count).unsqueeze(1);
      at::Tensor logits = chunk_logits(part, weight, softcap);
      at::Tensor log_p = at::log_softmax(logits, -1);
      at::Tensor p = log_p.exp();
      logprobs.narrow(0, first, count).copy_(log_p.gather(1, target).squeeze(1));
      entropy.narrow(0, first, count).copy_(-at::xlogy(p, p).sum(-1));
      correct.narrow(0, first, count).copy_((logits.gather(1, target) >= logits.amax(-1, true)).squeeze(1));
      if (!wants_hidden && !wants_weight) continue;
      at::Tensor grad = p.scatter_add(1, target, at::full_like(target, -1, p.options()));
      grad = grad * row_weights.narrow(0, first, count).to(at::kFloat).unsqueeze(1);
      if (softcap > 0) grad = grad * (1 - (logits / softcap).square());
      grad = grad.to(weight.scalar_type());
      if (wants_hidden) grad_hidden.narrow(0, first, count).copy_(at::matmul(grad, weight));
      if (wants_weight) grad_weight.add_(at::matmul(grad.t(), part));
    }
    context->saved_data["hidden"] = grad_hidden;
    context->saved_data["weight"] = grad_weight;
    context->mark_non_differentiable({logprobs, correct, entropy});
    // A row of weight 0 is left out even where its loss is infinite.
    at::Tensor counted = at::where(row_weights == 0, at::zeros_like(logprobs), -logprobs * row_weights);
    return {counted.to(at::kDouble).sum().to(at::kFloat), logprobs, correct, entropy};
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list grads) {
    auto scaled = [&](const char* key) {
      at::Tensor grad = context->saved_data[key].toTensor();
      return grad.defined() ? grad * grads[0] : grad;
    };
    return {scaled("hidden"), scaled("weight"), {}, {}, {}, {}, {}};
  }
};

}  // namespace

HeadLoss head_loss(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                   const at::Tensor& row_weights, double softcap) {
  const bool training = at::GradMode::is_enabled();
  auto out = HeadLossFunction::apply(hidden, weight, targets, row_weights, softcap, training && hidden.requires_grad(),
                                     training && weight.requires_grad());
  return {out[0], out[1], out[2], out[3]};
}

at::Tensor head_logprobs(const at::Tensor& hidden, const at::Tensor& weight, const at::Tensor& targets,
                         double softcap) {
  at::NoGradGuard no_grad;
  const std::int64_t rows = hidden.size(0);
  at::Tensor logprobs = at::empty({rows}, hidden.options().dtype(at::kFloat));
  for (std::int64_t first = 0; first < rows; first += kChunk) {
    const std::int64_t count = std::min(kChunk, rows - first);
    at::Tensor log_p = at::log_softmax(chunk_logits(hidden.narrow(0, first, count), weight, softcap), -1);
    logprobs.narrow(0, first, count).copy_(log_p.gather(1, targets.narrow(0, first, count).unsqueeze(1)).squeeze(1));
  }
  return logprobs;
}

}  // namespace reveille::nn::stock
