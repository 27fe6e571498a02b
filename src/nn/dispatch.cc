#include "nn/dispatch.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <atomic>

#include "nn/kernels.h"
#include "nn/ops.h"

namespace reveille::nn {
namespace {

std::atomic<bool> stock_forced{false};
std::atomic<KernelLevel> limit{KernelLevel::amx_bf16};

KernelLevel machine_level() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) return KernelLevel::stock;
  const bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                    __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
  if (!wide) return KernelLevel::avx2;
  if (!__builtin_cpu_supports("avx512bf16")) return KernelLevel::avx512;
  return kernels::may_use_tiles() ? KernelLevel::amx_bf16 : KernelLevel::avx512_bf16;
#else
  return KernelLevel::stock;
#endif
}

}  // namespace

KernelLevel kernel_level() {
  static const KernelLevel level = machine_level();
  if (stock_forced.load(std::memory_order_relaxed)) return KernelLevel::stock;
  return std::min(level, limit.load(std::memory_order_relaxed));
}

void limit_kernel_level(KernelLevel most) { limit.store(most, std::memory_order_relaxed); }

bool kernels_take(KernelLevel least, std::initializer_list<at::Tensor> tensors) {
  if (kernel_level() == KernelLevel::stock || kernel_level() < least) return false;
  for (const at::Tensor& tensor : tensors) {
    if (!tensor.defined()) continue;
    const at::ScalarType type = tensor.scalar_type();
    if (!tensor.is_cpu() || (type != at::kFloat && type != at::kBFloat16)) return false;
  }
  return true;
}

bool needs_grad(std::initializer_list<at::Tensor> tensors) {
  if (!at::GradMode::is_enabled()) return false;
  for (const at::Tensor& tensor : tensors)
    if (tensor.defined() && tensor.requires_grad()) return true;
  return false;
}

const char* kernel_name() {
  switch (kernel_level()) {
    case KernelLevel::amx_bf16: return "amx_bf16";
    case KernelLevel::avx512_bf16: return "avx512_bf16";
    case KernelLevel::avx512: return "avx512";
    case KernelLevel::avx2: return "avx2";
    case KernelLevel::stock: break;
  }
  return "stock";
}

void force_stock_operators(bool on) { stock_forced.store(on, std::memory_order_relaxed); }

}  // namespace reveille::nn
