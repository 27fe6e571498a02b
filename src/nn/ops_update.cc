// The optimiser's passes over all weights, at the speed of memory.
#include <cmath>

#include "nn/ops.h"
#include "nn/ops_stock.h"
#include "nn/ops_support.h"

namespace reveille::nn {
namespace {

constexpr std::int64_t kBlock = 65536;  // values; a sum over blocks does not depend on threads

bool kernel_can(const AdamWSlot& slot) {
  if (!kernels_take(KernelLevel::avx2, {slot.master, slot.m, slot.v, slot.grad, slot.weight})) return false;
  for (const at::Tensor& tensor : {slot.master, slot.m, slot.v})
    if (tensor.scalar_type() != at::kFloat || !tensor.is_contiguous()) return false;
  return !slot.weight.defined() || slot.weight.is_contiguous();
}

kernels::AdamW arguments(AdamWSlot& slot, const at::Tensor& grad) {
  kernels::AdamW args;
  args.master = slot.master.mutable_data_ptr<float>();
  args.m = slot.m.mutable_data_ptr<float>();
  args.v = slot.v.mutable_data_ptr<float>();
  args.grad = as_in(grad);
  args.weight = as_out(slot.weight);
  return args;
}

// What is written through pointers counts as changed all the same, for whoever keeps a packed copy.
void mark_changed(const at::Tensor& tensor) {
  if (tensor.defined() && !tensor.is_inference()) tensor.unsafeGetTensorImpl()->bump_version();
}

}  // namespace

void adamw_step(std::vector<AdamWSlot>& slots, double learning_rate, double beta1, double beta2, double eps,
                std::int64_t step, double grad_scale) {
  at::NoGradGuard no_grad;
  for (AdamWSlot& slot : slots) {
    if (!slot.grad.defined()) continue;
    if (!kernel_can(slot)) {
      stock::adamw_step(slot, learning_rate, beta1, beta2, eps, step, grad_scale);
      continue;
    }
    at::Tensor grad = slot.grad.contiguous();
    kernels::AdamW args = arguments(slot, grad);
    args.grad_scale = static_cast<float>(grad_scale);
    args.keep = static_cast<float>(1 - learning_rate * slot.weight_decay);
    args.fresh1 = static_cast<float>(1 - beta1);
    args.beta2 = static_cast<float>(beta2);
    args.fresh2 = static_cast<float>(1 - beta2);
    args.eps = static_cast<float>(eps);
    args.step_size = static_cast<float>(learning_rate / (1 - std::pow(beta1, static_cast<double>(step))));
    args.root2 = static_cast<float>(std::sqrt(1 - std::pow(beta2, static_cast<double>(step))));
    const auto kernel = kernels::table().adamw;
    over_rows(slot.master.numel(), 1, [&](std::int64_t first, std::int64_t last) { kernel(args, first, last); });
    mark_changed(slot.master);
    mark_changed(slot.weight);
  }
}

double global_norm(const std::vector<at::Tensor>& tensors) {
  at::NoGradGuard no_grad;
  double sum = 0;
  for (const at::Tensor& tensor : tensors) {
    if (!tensor.defined() || tensor.numel() == 0) continue;
    if (!kernels_take(KernelLevel::avx2, {tensor})) {
      const double norm = stock::global_norm({tensor});
      sum += norm * norm;
      continue;
    }
    at::Tensor values = tensor.contiguous();
    const std::int64_t count = values.numel(), blocks = (count + kBlock - 1) / kBlock;
    std::vector<double> squares(blocks);
    const auto kernel = kernels::table().sum_squares;
    at::parallel_for(0, blocks, 1, [&](std::int64_t first, std::int64_t last) {
      for (std::int64_t block = first; block < last; ++block)
        squares[block] = kernel(as_in(values), block * kBlock, std::min(count, (block + 1) * kBlock));
    });
    for (double part : squares) sum += part;
  }
  return std::sqrt(sum);
}

}  // namespace reveille::nn
