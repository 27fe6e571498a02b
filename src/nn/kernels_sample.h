// What drawing a token needs to know of a row of logits. Included once by each kernels_*.cc.
#pragma once

#include "nn/kernels.h"
#include "nn/kernels_rows.h"

namespace reveille::nn::kernels {
namespace {

// Calls body(pointer to the block's logits, their number, block).
template <class Body>
inline void each_block(const LogitRow& a, const Body& body) {
  with_type(a.logits, [&](auto* logits) {
    for (std::int64_t first = 0; first < a.vocab; first += kLogitBlock) {
      const std::int64_t left = a.vocab - first;
      body(logits + a.offset + first, left < kLogitBlock ? left : kLogitBlock, first / kLogitBlock);
    }
  });
}

inline float block_maxima(const LogitRow& a, float* maxima) {
  const F never = splat(-__builtin_inff());
  float peak = -__builtin_inff();
  each_block(a, [&](auto* logits, std::int64_t count, std::int64_t block) {
    F most = never;
    each_vector(count,
                [&](std::int64_t i, std::int64_t n) { most = vmax(most, keep_first(load(logits + i, n), n, never)); });
    maxima[block] = largest(most);
    if (maxima[block] > peak) peak = maxima[block];
  });
  return peak;
}

inline void block_sums(const LogitRow& a, float* plain, float* sharp) {
  const F max = splat(a.max), sharpness = splat(a.sharpness);
  each_block(a, [&](auto* logits, std::int64_t count, std::int64_t block) {
    F sums = zero(), sharp_sums = zero();
    each_vector(count, [&](std::int64_t i, std::int64_t n) {
      const F below = load(logits + i, n) - max;
      sums += keep_first(vexp(below), n, zero());
      if (a.sharpness != 1) sharp_sums += keep_first(vexp(below * sharpness), n, zero());
    });
    plain[block] = total(sums);
    sharp[block] = a.sharpness == 1 ? plain[block] : total(sharp_sums);
  });
}

inline std::int64_t block_weights(const LogitRow& a, std::int64_t block, float* weights) {
  const std::int64_t first = block * kLogitBlock, left = a.vocab - first;
  const std::int64_t count = left < kLogitBlock ? left : kLogitBlock;
  const F max = splat(a.max), sharpness = splat(a.sharpness);
  with_type(a.logits, [&](auto* logits) {
    each_vector(count, [&](std::int64_t i, std::int64_t n) {
      store(weights + i, vexp((load(logits + a.offset + first + i, n) - max) * sharpness), n);
    });
  });
  return count;
}

}  // namespace
}  // namespace reveille::nn::kernels
