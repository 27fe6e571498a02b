// Backward of attention: scores and weights are computed again from qkv and the saved
// logarithms of the sums, block of queries by block; sums over queries stay in float32.
// Included once by each kernels_*.cc.
//
//   dP = dO V^T;  dS = P (dP - sum(P dP));  dQ = scale dS K;  dK = scale dS^T Q;  dV = P^T dO
#pragma once

#include "nn/kernels_attention.h"

namespace reveille::nn::kernels {
namespace {

template <class P>
struct BackwardScratch {
  using Unit = typename P::Unit;
  using Scalar = typename P::Scalar;
  // Of the whole sequence.
  Unit *keys_across, *values_across, *keys_down;
  float *d_keys, *d_values;  // [keys][columns]
  // Of a block of queries.
  Scalar *queries, *d_out;          // [kQueryBlock][row]
  Unit *queries_down, *d_out_down;  // [steps of kQueryBlock][columns]
  float *scores, *d_scores;         // [kQueryBlock][keys]
  Unit *weights_down, *d_scores_down, *d_scores_rows;
  float* d_queries;  // [kQueryBlock][columns]
  std::int64_t bytes;

  BackwardScratch(void* base, const Shape<P>& s) {
    std::int64_t used = 0;
    auto take = [&](auto*& part, std::int64_t units) {
      part = reinterpret_cast<std::remove_reference_t<decltype(part)>>(static_cast<char*>(base) + used);
      used += round_up(4 * units, 64);
    };
    take(keys_across, s.across());
    take(values_across, s.across());
    take(keys_down, s.down());
    take(d_keys, s.keys * s.columns);
    take(d_values, s.keys * s.columns);
    take(queries, kQueryBlock * s.row_units());
    take(d_out, kQueryBlock * s.row_units());
    take(queries_down, kQueryBlock * s.columns);
    take(d_out_down, kQueryBlock * s.columns);
    take(scores, kQueryBlock * s.keys);
    take(d_scores, kQueryBlock * s.keys);
    take(weights_down, kQueryBlock * s.keys);
    take(d_scores_down, kQueryBlock * s.keys);
    take(d_scores_rows, kQueryBlock * s.keys);
    take(d_queries, kQueryBlock * s.columns);
    bytes = used;
  }
};

// What one row of weights and its gradient needs beside the scores.
struct RowBack {
  std::int64_t first = 0, last = 0;  // keys that it sees; none for a row that is not there
  float delta = 0;
};

// scores become weights P; returns the row's sum of P dP.
inline RowBack weigh_again(const Reach& reach, std::int64_t r, float scale, float log_sum, float* scores,
                           const float* d_weights) {
  RowBack row;
  if (r >= reach.count) return row;
  row.first = reach.oldest(r) - reach.origin;
  row.last = reach.keys_before(r + 1);
  const F factor = splat(scale), shift = splat(-log_sum);
  F sum = zero();
  for (std::int64_t k = row.first / kLanes * kLanes; k < row.last; k += kLanes) {
    const F weight = vexp(fma(load(scores + k), factor, shift));
    store(scores + k, weight);
    sum += keep_range(weight * load(d_weights + k), row.first, row.last, k, zero());
  }
  row.delta = total(sum);
  return row;
}

inline F weight_at(const RowBack& row, const float* weights, std::int64_t k) {
  if (k >= row.last || k + kLanes <= row.first) return zero();
  return keep_range(load(weights + k), row.first, row.last, k, zero());
}

inline F score_gradient_at(const RowBack& row, const float* weights, const float* d_weights, std::int64_t k) {
  if (k >= row.last || k + kLanes <= row.first) return zero();
  return keep_range(load(weights + k) * (load(d_weights + k) - splat(row.delta)), row.first, row.last, k, zero());
}

// Rows r and r + 1 (r even) of P and dS, rounded and laid out as operands.
template <class P>
void lay_out_rows(const Shape<P>& shape, std::int64_t r, std::int64_t end, const RowBack* rows,
                  const BackwardScratch<P>& s) {
  const float* weights = s.scores + r * shape.keys;
  const float* d_weights = s.d_scores + r * shape.keys;
  const std::int64_t row_units = shape.keys / P::kDepth;
  for (std::int64_t k = 0; k < end; k += 2 * kLanes) {
    F grads[2][2];
    for (int part = 0; part < 2; ++part) {
      const std::int64_t at = k + part * kLanes;
      for (int odd = 0; odd < 2; ++odd)
        grads[odd][part] = score_gradient_at(rows[odd], weights + odd * shape.keys, d_weights + odd * shape.keys, at);
      P::store_rows(s.weights_down + at, shape.keys, r, weight_at(rows[0], weights, at),
                    weight_at(rows[1], weights + shape.keys, at));
      P::store_rows(s.d_scores_down + at, shape.keys, r, grads[0][part], grads[1][part]);
    }
    for (int odd = 0; odd < 2; ++odd)
      P::store_scalars(s.d_scores_rows + (r + odd) * row_units + k / P::kDepth, grads[odd][0], grads[odd][1]);
  }
}

// out[key] += sum over queries of weights[query][key] * rows[query].
template <class P>
void gather_over_queries(const Reach& reach, const Shape<P>& shape, const typename P::Unit* weights,
                         const typename P::Unit* rows, float* out) {
  const std::int64_t keys = reach.keys_before(reach.count);
  const std::int64_t steps = (reach.count + P::kDepth - 1) / P::kDepth;
  for (std::int64_t k = 0; k < keys; k += kStrip) {
    // No query before this one sees the strip's first key.
    const std::int64_t seen_from = reach.origin + k - reach.position;
    const std::int64_t first = seen_from > 0 ? seen_from / P::kDepth : 0;
    strip_of<P>({weights + first * shape.keys + k, 1, shape.keys, rows + first * shape.columns, shape.columns,
                 steps - first, out + (reach.origin + k) * shape.columns, shape.columns, true},
                kStrip, shape.columns / kLanes);
  }
}

template <class P>
void backward_block(const Attention& a, const Span& span, const Reach& reach, const Shape<P>& shape, std::int64_t head,
                    const BackwardScratch<P>& s) {
  const HeadRows query_rows = rows_of(a, span, head);
  const HeadRows out_rows{a.d_out, (span.first * a.heads + head) * a.head_dim, a.heads * a.head_dim};
  load_heads(query_rows, shape, reach.first, reach.count, kQueryBlock, s.queries);
  load_heads(out_rows, shape, reach.first, reach.count, kQueryBlock, s.d_out);
  pack_down<P>(s.queries, shape, 0, kQueryBlock, s.queries_down);
  pack_down<P>(s.d_out, shape, 0, kQueryBlock, s.d_out_down);
  score(reach, shape, s.queries, s.keys_across, s.scores);
  score(reach, shape, s.d_out, s.values_across, s.d_scores);
  for (std::int64_t r = 0; r < reach.count; r += 2) {
    RowBack rows[2];
    for (int odd = 0; odd < 2; ++odd) {
      const std::int64_t at = r + odd < reach.count ? r + odd : r;
      const float log_sum = a.log_sums[(span.first + reach.first + at) * a.heads + head];
      rows[odd] = weigh_again(reach, r + odd, a.scale, log_sum, s.scores + (r + odd) * shape.keys,
                              s.d_scores + (r + odd) * shape.keys);
    }
    // A strip of keys or queries reaches up to 4 keys beyond what these rows see: zeros there.
    const std::int64_t reached = round_up(reach.keys_before(r + 2) + kStrip, 2 * kLanes);
    const std::int64_t there = shape.keys - reach.origin;
    lay_out_rows(shape, r, reached < there ? reached : there, rows, s);
  }
  mix(reach, shape, s.d_scores_rows, s.keys_down, s.d_queries);
  gather_over_queries(reach, shape, s.d_scores_down, s.queries_down, s.d_keys);
  gather_over_queries(reach, shape, s.weights_down, s.d_out_down, s.d_values);
}

// `count` rows of gradients from `first` on, into their place in d_qkv.
inline void store_heads(const Attention& a, const HeadRows& to, std::int64_t first, std::int64_t count, float scale,
                        const float* grads, std::int64_t stride) {
  with_type(a.d_qkv, [&](auto* base) {
    for (std::int64_t r = 0; r < count; ++r) {
      const std::int64_t turn = (first + r) * a.head_dim;
      store_head(grads + r * stride, scale, to.cos == nullptr ? nullptr : to.cos + turn,
                 to.cos == nullptr ? nullptr : to.sin + turn, a.head_dim, base + to.offset + (first + r) * to.stride);
    }
  });
}

template <class P>
std::int64_t backward_bytes(const Attention& a, std::int64_t keys) {
  return BackwardScratch<P>(nullptr, Shape<P>(a.head_dim, keys)).bytes;
}

template <class P>
void attend_backward(const Attention& a, const Span& span, std::int64_t kv_head, void* scratch) {
  const Shape<P> shape(a.head_dim, span.rows);
  const BackwardScratch<P> s(scratch, shape);
  const HeadRows key_rows = rows_of(a, span, a.heads + kv_head);
  const HeadRows value_rows = rows_of(a, span, a.heads + a.kv_heads + kv_head);
  pack_heads<P>(key_rows, shape, span.rows, s.queries, s.keys_across, s.keys_down);
  pack_heads<P>(value_rows, shape, span.rows, s.queries, s.values_across, nullptr);
  __builtin_memset(s.d_keys, 0, static_cast<std::uint64_t>(shape.keys * shape.columns) * 4);
  __builtin_memset(s.d_values, 0, static_cast<std::uint64_t>(shape.keys * shape.columns) * 4);
  const std::int64_t group = a.heads / a.kv_heads;
  for (std::int64_t head = kv_head * group; head < (kv_head + 1) * group; ++head)
    for (std::int64_t block = 0; block * kQueryBlock < span.rows; ++block) {
      const Reach reach(a, span, block);
      backward_block<P>(a, span, reach, shape, head, s);
      store_heads(a, rows_of(a, span, head), reach.first, reach.count, a.scale, s.d_queries, shape.columns);
    }
  store_heads(a, key_rows, 0, span.rows, a.scale, s.d_keys, shape.columns);
  store_heads(a, value_rows, 0, span.rows, 1.0F, s.d_values, shape.columns);
}

}  // namespace
}  // namespace reveille::nn::kernels
