// Kernels of the optimiser. Included once by each kernels_*.cc.
#pragma once

#include "nn/kernels.h"
#include "nn/kernels_rows.h"
#include "nn/kernels_vec.h"

namespace reveille::nn::kernels {
namespace {

template <class G>
void adamw_typed(const AdamW& a, const G* grads, std::int64_t first, std::int64_t last) {
  const F scale = splat(a.grad_scale), keep = splat(a.keep), eps = splat(a.eps);
  const F fresh1 = splat(a.fresh1), beta2 = splat(a.beta2), fresh2 = splat(a.fresh2);
  const F step_size = splat(a.step_size), root2 = splat(1 / a.root2);
  each_vector(last - first, [&](std::int64_t offset, std::int64_t n) {
    const std::int64_t i = first + offset;
    const F grad = load(grads + i, n) * scale;
    F m = load(a.m + i, n), v = load(a.v + i, n) * beta2;
    m = fma(grad - m, fresh1, m);
    v = fma(grad * grad, fresh2, v);
    const F value = load(a.master + i, n) * keep - step_size * m / fma(root(v), root2, eps);
    store(a.m + i, m, n);
    store(a.v + i, v, n);
    store(a.master + i, value, n);
    if (a.weight.data == nullptr) return;
    if (a.weight.half) {
      store(static_cast<Half*>(a.weight.data) + i, value, n);
    } else {
      store(static_cast<float*>(a.weight.data) + i, value, n);
    }
  });
}

inline void adamw(const AdamW& a, std::int64_t first, std::int64_t last) {
  with_type(a.grad, [&](auto* grads) { adamw_typed(a, grads, first, last); });
}

// float32 within a block of 4,096 values, float64 over blocks.
inline double sum_squares(In in, std::int64_t first, std::int64_t last) {
  constexpr std::int64_t kBlock = 4096;
  double sum = 0;
  with_type(in, [&](auto* values) {
    for (std::int64_t block = first; block < last; block += kBlock) {
      F squares = zero();
      each_vector(last - block < kBlock ? last - block : kBlock, [&](std::int64_t i, std::int64_t n) {
        const F value = load(values + block + i, n);
        squares = fma(value, value, squares);
      });
      sum += total(squares);
    }
  });
  return sum;
}

}  // namespace
}  // namespace reveille::nn::kernels
