// Attention of a block of queries over packed keys and values, plain: all scores of the block,
// softmax in float32, product with the values. At the lengths that matter here (50 to 300
// tokens) this beats the running maximum of flash attention; scratch grows with the length.
// Included once by each kernels_*.cc.
#pragma once

#include "nn/kernels_attention_rows.h"

namespace reveille::nn::kernels {
namespace {

// A block of queries against the keys that they can see.
struct Reach {
  std::int64_t first, count;  // queries, counted from the span's first
  std::int64_t position;      // of the first query
  std::int64_t window;
  std::int64_t origin;  // first key of the block's scores, a multiple of 2 kLanes
  Reach(const Attention& a, const Span& span, std::int64_t block)
      : first(block * kQueryBlock),
        count(span.rows - first < kQueryBlock ? span.rows - first : kQueryBlock),
        position(span.start + first),
        window(a.window),
        origin(oldest(0) / (2 * kLanes) * (2 * kLanes)) {}
  std::int64_t oldest(std::int64_t query) const {
    const std::int64_t key = position + query - window + 1;
    return window > 0 && key > 0 ? key : 0;
  }
  // The query after the last of the strip of r.
  std::int64_t strip_end(std::int64_t r) const {
    const std::int64_t end = r / kStrip * kStrip + kStrip;
    return end < count ? end : count;
  }
  // Keys from `origin` on that queries before `query` can see.
  std::int64_t keys_before(std::int64_t query) const { return position + query - origin; }
};

// scores[r][key - origin] = queries[r] . keys[key]; what no query of a strip sees is left alone.
template <class P>
void score(const Reach& reach, const Shape<P>& shape, const typename P::Scalar* queries, const typename P::Unit* across,
           float* scores) {
  for (std::int64_t r = 0; r < reach.count; r += kStrip) {
    const std::int64_t rows = reach.strip_end(r) - r;
    const std::int64_t vectors = (reach.keys_before(r + rows) + kLanes - 1) / kLanes;
    strip_of<P>({reinterpret_cast<const typename P::Unit*>(queries + r * shape.row), shape.row_units(), 1,
                 across + reach.origin, shape.keys, shape.steps(), scores + r * shape.keys, shape.keys, false},
                rows, vectors);
  }
}

// out[r] = sum over the keys that the strip of r sees of weights[r][key] * rows[key].
template <class P>
void mix(const Reach& reach, const Shape<P>& shape, const typename P::Unit* weights, const typename P::Unit* down,
         float* out) {
  const std::int64_t row_units = shape.keys / P::kDepth;
  for (std::int64_t r = 0; r < reach.count; r += kStrip) {
    const std::int64_t rows = reach.strip_end(r) - r;
    const std::int64_t steps = (reach.keys_before(r + rows) + P::kDepth - 1) / P::kDepth;
    strip_of<P>({weights + r * row_units, row_units, 1, down + reach.origin / P::kDepth * shape.columns, shape.columns,
                 steps, out + r * shape.columns, shape.columns, false},
                rows, shape.columns / kLanes);
  }
}

struct Softmax {
  float sum, log_sum;
};

// weights = exp(scale * (score - max)), zero where query r does not see the key, up to the end
// of r's strip.
template <class P>
Softmax softmax_row(const Reach& reach, std::int64_t r, float scale, const float* scores, typename P::Unit* weights) {
  const std::int64_t first = reach.oldest(r) - reach.origin, last = reach.keys_before(r + 1);
  const std::int64_t end = round_up(reach.keys_before(reach.strip_end(r)), 2 * kLanes);
  const F never = splat(-__builtin_inff());
  F most = never;
  for (std::int64_t k = first / kLanes * kLanes; k < last; k += kLanes)
    most = vmax(most, keep_range(load(scores + k), first, last, k, never));
  const float peak = largest(most);
  const F factor = splat(scale), shift = splat(-peak * scale);
  F sum = zero();
  auto weigh = [&](std::int64_t k) {
    if (k >= last || k + kLanes <= first) return zero();
    const F weight = keep_range(vexp(fma(load(scores + k), factor, shift)), first, last, k, zero());
    sum += weight;
    return weight;
  };
  for (std::int64_t k = 0; k < end; k += 2 * kLanes) {
    const F low = weigh(k), high = weigh(k + kLanes);
    P::store_scalars(weights + k / P::kDepth, low, high);
  }
  const float whole = total(sum);
  return {whole, peak * scale + __builtin_logf(whole)};
}

// Parts of the scratch of attend().
template <class P>
struct AttendScratch {
  typename P::Scalar* queries;
  float* scores;
  typename P::Unit* weights;
  float* mixed;
  static std::int64_t bytes(const Shape<P>& s) {
    return 4 * (kQueryBlock * s.row_units() + 2 * kQueryBlock * s.keys + kQueryBlock * s.columns) + 4 * 64;
  }
  AttendScratch(void* base, const Shape<P>& s) {
    float* at = static_cast<float*>(base);
    queries = reinterpret_cast<typename P::Scalar*>(at);
    at += round_up(kQueryBlock * s.row_units(), 16);
    scores = at;
    at += kQueryBlock * s.keys;
    weights = reinterpret_cast<typename P::Unit*>(at);
    at += kQueryBlock * s.keys;
    mixed = at;
  }
};

// One head of one block.
template <class P>
void attend_head(const Attention& a, const Span& span, const Reach& reach, const Shape<P>& shape, std::int64_t head,
                 const typename P::Unit* keys, const typename P::Unit* values, const AttendScratch<P>& scratch) {
  load_heads(rows_of(a, span, head), shape, reach.first, reach.count, kQueryBlock, scratch.queries);
  score(reach, shape, scratch.queries, keys, scratch.scores);
  float inverse[kQueryBlock];
  for (std::int64_t r = 0; r < reach.count; ++r) {
    const Softmax softmax = softmax_row<P>(reach, r, a.scale, scratch.scores + r * shape.keys,
                                           scratch.weights + r * (shape.keys / P::kDepth));
    inverse[r] = 1.0F / softmax.sum;
    if (a.log_sums != nullptr) a.log_sums[(span.first + reach.first + r) * a.heads + head] = softmax.log_sum;
  }
  mix(reach, shape, scratch.weights, values, scratch.mixed);
  with_type(a.out, [&](auto* out) {
    for (std::int64_t r = 0; r < reach.count; ++r) {
      auto* target = out + ((span.first + reach.first + r) * a.heads + head) * a.head_dim;
      store_head(scratch.mixed + r * shape.columns, inverse[r], nullptr, nullptr, a.head_dim, target);
    }
  });
}

template <class P>
std::int64_t packed_bytes(const Attention& a, std::int64_t keys) {
  const Shape<P> shape(a.head_dim, keys);
  return round_up(4 * (shape.across() + shape.down()), 64);
}

template <class P>
std::int64_t attend_bytes(const Attention& a, std::int64_t keys) {
  const Shape<P> shape(a.head_dim, keys);
  const std::int64_t packing = kLanes * shape.row * 4;
  return round_up(AttendScratch<P>::bytes(shape) + packing, 64);
}

// Keys across, values down, of `keys` keys: from the span's own rows of qkv or from a cache.
template <class P>
void pack(const Attention& a, const Span& span, std::int64_t kv_head, const CacheRows* cache, std::int64_t keys,
          void* packed, void* scratch) {
  const Shape<P> shape(a.head_dim, keys);
  auto* across = static_cast<typename P::Unit*>(packed);
  HeadRows key_rows = rows_of(a, span, a.heads + kv_head);
  HeadRows value_rows = rows_of(a, span, a.heads + a.kv_heads + kv_head);
  if (cache != nullptr) {
    key_rows = {{cache->keys.data, cache->keys.half}, 0, a.head_dim};
    value_rows = {{cache->values.data, cache->values.half}, 0, a.head_dim};
  }
  auto* rows = static_cast<typename P::Scalar*>(scratch);
  pack_heads<P>(key_rows, shape, keys, rows, across, nullptr);
  pack_heads<P>(value_rows, shape, keys, rows, nullptr, across + shape.across());
}

template <class P>
void attend(const Attention& a, const Span& span, std::int64_t kv_head, std::int64_t block, const void* packed,
            void* scratch) {
  const Shape<P> shape(a.head_dim, span.start + span.rows);
  const Reach reach(a, span, block);
  const auto* keys = static_cast<const typename P::Unit*>(packed);
  const std::int64_t group = a.heads / a.kv_heads;
  for (std::int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head)
    attend_head<P>(a, span, reach, shape, head, keys, keys + shape.across(), AttendScratch<P>(scratch, shape));
}

}  // namespace
}  // namespace reveille::nn::kernels
