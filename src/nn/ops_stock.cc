#include "nn/ops_stock.h"

#include <ATen/ATen.h>

#include <cmath>

namespace reveille::nn::stock {

at::Tensor rms_norm(const at::Tensor& x, const at::Tensor& weight, double eps, bool plus_one, at::ScalarType out) {
  at::Tensor wide = x.to(at::kFloat);
  at::Tensor scale = at::rsqrt(wide.square().mean({-1}, true) + eps);
  at::Tensor gain = weight.to(at::kFloat);
  if (plus_one) gain = gain + 1;
  return (wide * scale * gain).to(out);
}

std::tuple<at::Tensor, at::Tensor> add_rms_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight,
                                                double eps, bool plus_one, at::ScalarType out) {
  at::Tensor sum = x.to(at::kFloat) + delta.to(at::kFloat);
  return {sum, stock::rms_norm(sum, weight, eps, plus_one, out)};
}

at::Tensor gated(const at::Tensor& gate_up, Activation activation) {
  auto halves = gate_up.to(at::kFloat).chunk(2, -1);
  at::Tensor gate = activation == Activation::silu ? at::silu(halves[0]) : at::gelu(halves[0], "tanh");
  return (gate * halves[1]).to(gate_up.scalar_type());
}

at::Tensor linear(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias) {
  at::Tensor typed = x.to(weight.scalar_type());
  if (!bias.defined()) return at::linear(typed, weight);
  return at::linear(typed, weight, bias.to(weight.scalar_type()));
}

at::Tensor linear_packed(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& bias, at::ScalarType out) {
  return stock::linear(x, weight, bias).to(out);
}

at::Tensor embed(const at::Tensor& ids, const at::Tensor& weight, double scale) {
  at::Tensor rows = at::embedding(weight, ids).to(at::kFloat);
  return scale == 1.0 ? rows : rows * scale;
}

void adamw_step(const AdamWSlot& slot, double learning_rate, double beta1, double beta2, double eps, std::int64_t step,
                double grad_scale) {
  at::Tensor grad = slot.grad.to(at::kFloat);
  if (grad_scale != 1.0) grad = grad * grad_scale;
  at::Tensor master = slot.master, m = slot.m, v = slot.v;
  const double correction1 = 1 - std::pow(beta1, static_cast<double>(step));
  const double correction2 = 1 - std::pow(beta2, static_cast<double>(step));
  if (slot.weight_decay != 0) master.mul_(1 - learning_rate * slot.weight_decay);
  m.lerp_(grad, 1 - beta1);
  v.mul_(beta2).addcmul_(grad, grad, 1 - beta2);
  at::Tensor denominator = v.sqrt().div_(std::sqrt(correction2)).add_(eps);
  master.addcdiv_(m, denominator, -learning_rate / correction1);
  if (slot.weight.defined()) {
    at::Tensor weight = slot.weight;
    weight.copy_(master);
  }
}

double global_norm(const std::vector<at::Tensor>& tensors) {
  double sum = 0;
  for (const at::Tensor& tensor : tensors)
    if (tensor.defined() && tensor.numel()) sum += tensor.to(at::kDouble).square().sum().item<double>();
  return std::sqrt(sum);
}

}  // namespace reveille::nn::stock
