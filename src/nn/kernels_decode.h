// Attention of one new row per sequence over its slot of the cache, read in place: each key and
// value is read once for all heads that share it. Included once by each kernels_*.cc.
#pragma once

#include "nn/kernels_attention.h"

namespace reveille::nn::kernels {
namespace {

// kLanes vectors to one: lane i is the sum of v[i].
#if defined(REVEILLE_AVX512)
inline F sum_each(const F* v) {
  // The steps below leave lane i to input swap(i), which exchanges bits 0 and 1, and 2 and 3.
  auto swap = [](int i) { return (i & 1) << 1 | (i & 2) >> 1 | (i & 4) << 1 | (i & 8) >> 1; };
  F half[8], quarter[4];
  for (int i = 0; i < 8; ++i) {
    const F a = v[swap(i)], b = v[swap(i + 8)];
    half[i] = _mm512_shuffle_f32x4(a, b, 0x44) + _mm512_shuffle_f32x4(a, b, 0xee);
  }
  for (int i = 0; i < 4; ++i)
    quarter[i] = _mm512_shuffle_f32x4(half[i], half[i + 4], 0x88) + _mm512_shuffle_f32x4(half[i], half[i + 4], 0xdd);
  const F even = unpack_low(quarter[0], quarter[2]) + unpack_high(quarter[0], quarter[2]);
  const F odd = unpack_low(quarter[1], quarter[3]) + unpack_high(quarter[1], quarter[3]);
  return _mm512_shuffle_ps(even, odd, 0x88) + _mm512_shuffle_ps(even, odd, 0xdd);
}
#else
inline F sum_each(const F* v) {
  F pairs[4];
  for (int i = 0; i < 4; ++i) pairs[i] = _mm256_hadd_ps(v[2 * i], v[2 * i + 1]);
  const F low = _mm256_hadd_ps(pairs[0], pairs[1]), high = _mm256_hadd_ps(pairs[2], pairs[3]);
  return _mm256_permute2f128_ps(low, high, 0x20) + _mm256_permute2f128_ps(low, high, 0x31);
}
#endif

// Up to P::kDepth * kLanes scalars of a cached row as one operand.
template <class P, class T>
inline F cached_units(const T* row, std::int64_t scalars) {
  if constexpr (P::kDepth == 1) {
    return load(row, scalars < kLanes ? scalars : kLanes);
  } else {
    const std::int64_t units = scalars / P::kDepth;
    return load(reinterpret_cast<const float*>(row), units < kLanes ? units : kLanes);
  }
}

// Scores of `count` (up to kLanes) keys; `row` is the padded length of the query.
template <class P, class T>
inline F score_some_keys(const typename P::Scalar* query, const T* keys, std::int64_t dim, std::int64_t row,
                         std::int64_t count) {
  constexpr std::int64_t kChunk = P::kDepth * kLanes;
  F sums[kLanes];
  for (int k = 0; k < kLanes; ++k) {
    sums[k] = zero();
    if (k >= count) continue;
    for (std::int64_t i = 0; i < row; i += kChunk)
      sums[k] = P::dot(P::load_units(reinterpret_cast<const typename P::Unit*>(query + i)),
                       cached_units<P>(keys + k * dim + i, dim - i), sums[k]);
  }
  return sum_each(sums);
}

// Scores of kLanes keys of a dimension known to the compiler, the query in registers.
template <class P, int chunks, class T>
inline F score_keys(const typename P::Scalar* query, const T* keys) {
  constexpr std::int64_t kChunk = P::kDepth * kLanes;
  F parts[chunks], sums[kLanes];
  for (int c = 0; c < chunks; ++c)
    parts[c] = P::load_units(reinterpret_cast<const typename P::Unit*>(query + c * kChunk));
#pragma GCC unroll 16
  for (int k = 0; k < kLanes; ++k) {
    sums[k] = zero();
#pragma GCC unroll 8
    for (int c = 0; c < chunks; ++c)
      sums[k] = P::dot(parts[c], cached_units<P>(keys + (k * chunks + c) * kChunk, kChunk), sums[k]);
  }
  return sum_each(sums);
}

template <class P, class T>
void score_row(const typename P::Scalar* query, const T* keys, const Shape<P>& shape, std::int64_t count,
               float* scores) {
  constexpr std::int64_t kChunk = P::kDepth * kLanes;
  const std::int64_t chunks = shape.dim % kChunk == 0 ? shape.dim / kChunk : 0;
  std::int64_t k = 0;
  auto run = [&](auto score) {
    for (; k + kLanes <= count; k += kLanes) store(scores + k, score(keys + k * shape.dim));
  };
  switch (chunks) {
    case 1: run([&](const T* some) { return score_keys<P, 1>(query, some); }); break;
    case 2: run([&](const T* some) { return score_keys<P, 2>(query, some); }); break;
    case 4: run([&](const T* some) { return score_keys<P, 4>(query, some); }); break;
    case 8: run([&](const T* some) { return score_keys<P, 8>(query, some); }); break;
    default: break;
  }
  for (; k < count; k += kLanes)
    store(scores + k, score_some_keys<P>(query, keys + k * shape.dim, shape.dim, shape.row, count - k));
}

// weights of one query, in place: exp(scale (score - max)); returns 1 / their sum.
inline float softmax_in_place(float* scores, std::int64_t count, float scale) {
  F most = splat(-__builtin_inff());
  each_vector(count, [&](std::int64_t i, std::int64_t n) {
    most = vmax(most, keep_first(load(scores + i, n), n, splat(-__builtin_inff())));
  });
  const F factor = splat(scale), shift = splat(-largest(most) * scale);
  F sum = zero();
  each_vector(count, [&](std::int64_t i, std::int64_t n) {
    const F weight = keep_first(vexp(fma(load(scores + i, n), factor, shift)), n, zero());
    store(scores + i, weight, n);
    sum += weight;
  });
  return 1.0F / total(sum);
}

// out[q][column] = inverse[q] * sum over keys of weights[q][key] * values[key][column], for some
// queries and the next `vectors` vectors of columns, the last of `last` lanes.
template <int queries, int vectors, bool full, class T, class O>
void mix_cached(const float* weights, std::int64_t stride, const float* inverse, const T* values, std::int64_t dim,
                std::int64_t last, std::int64_t count, O* out) {
  F sums[queries][vectors];
  for (int q = 0; q < queries; ++q)
    for (int v = 0; v < vectors; ++v) sums[q][v] = zero();
  for (std::int64_t key = 0; key < count; ++key, values += dim) {
    F row[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) row[v] = load(values + v * kLanes, full || v + 1 < vectors ? kLanes : last);
#pragma GCC unroll 4
    for (int q = 0; q < queries; ++q) {
      const F weight = splat(weights[q * stride + key]);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) sums[q][v] = fma(weight, row[v], sums[q][v]);
    }
  }
  for (int q = 0; q < queries; ++q)
    for (int v = 0; v < vectors; ++v)
      store(out + q * dim + v * kLanes, sums[q][v] * splat(inverse[q]), full || v + 1 < vectors ? kLanes : last);
}

template <int queries, class T, class O>
void mix_cached_columns(const float* weights, std::int64_t stride, const float* inverse, const T* values,
                        std::int64_t dim, std::int64_t count, O* out) {
  std::int64_t i = 0;
  for (; dim - i >= 4 * kLanes; i += 4 * kLanes)
    mix_cached<queries, 4, true>(weights, stride, inverse, values + i, dim, kLanes, count, out + i);
  for (; dim - i > 0; i += kLanes)
    mix_cached<queries, 1, false>(weights, stride, inverse, values + i, dim, dim - i < kLanes ? dim - i : kLanes, count,
                                  out + i);
}

template <class P, class T, class O>
void decode_typed(const Attention& a, const Span& span, std::int64_t kv_head, const T* keys, const T* values, O* out,
                  void* scratch) {
  const std::int64_t last = span.start + 1, dim = a.head_dim, group = a.heads / a.kv_heads;
  const std::int64_t first = a.window > 0 && last > a.window ? last - a.window : 0, count = last - first;
  const Shape<P> shape(dim, count);
  auto* queries = static_cast<typename P::Scalar*>(scratch);
  float* scores = static_cast<float*>(scratch) + round_up(shape.row_units(), 16);
  float inverse[4];
  keys += first * dim;
  values += first * dim;
  for (std::int64_t done = 0; done < group; done += 4) {
    const std::int64_t heads = group - done < 4 ? group - done : 4, head = kv_head * group + done;
    for (std::int64_t q = 0; q < heads; ++q) {
      load_heads(rows_of(a, span, head + q), shape, 0, 1, 1, queries);
      float* row = scores + q * shape.keys;
      score_row<P>(queries, keys, shape, count, row);
      inverse[q] = softmax_in_place(row, count, a.scale);
    }
    O* target = out + (span.first * a.heads + head) * dim;
    switch (heads) {
      case 4: mix_cached_columns<4>(scores, shape.keys, inverse, values, dim, count, target); break;
      case 3: mix_cached_columns<3>(scores, shape.keys, inverse, values, dim, count, target); break;
      case 2: mix_cached_columns<2>(scores, shape.keys, inverse, values, dim, count, target); break;
      default: mix_cached_columns<1>(scores, shape.keys, inverse, values, dim, count, target); break;
    }
  }
}

template <class P>
void decode(const Attention& a, const Span& span, std::int64_t kv_head, const CacheRows& cache, void* scratch) {
  with_type(In{cache.keys.data, cache.keys.half}, [&](auto* keys) {
    using T = decltype(keys);
    if constexpr (P::kDepth == 1 || std::is_same_v<T, const Half*>)
      with_type(a.out, [&](auto* out) {
        decode_typed<P>(a, span, kv_head, keys, static_cast<T>(cache.values.data), out, scratch);
      });
  });
}

inline void remember(const Attention& a, const Span& span, std::int64_t kv_head, const CacheRows& cache) {
  const HeadRows sources[2] = {rows_of(a, span, a.heads + kv_head), rows_of(a, span, a.heads + a.kv_heads + kv_head)};
  const Out targets[2] = {cache.keys, cache.values};
  for (int part = 0; part < 2; ++part) {
    const HeadRows& from = sources[part];
    with_type(from.base, [&](auto* base) {
      with_type(targets[part], [&](auto* out) {
        for (std::int64_t r = 0; r < span.rows; ++r) {
          const std::int64_t turn = r * a.head_dim;
          load_head(base + from.offset + r * from.stride, from.cos == nullptr ? nullptr : from.cos + turn,
                    from.cos == nullptr ? nullptr : from.sin + turn, a.head_dim, out + (span.start + r) * a.head_dim);
        }
      });
    });
  }
}

template <class P>
constexpr AttentionKernels attention_kernels() {
  return {packed_bytes<P>, attend_bytes<P>,    backward_bytes<P>, pack<P>,
          attend<P>,       attend_backward<P>, remember,          decode<P>};
}

}  // namespace
}  // namespace reveille::nn::kernels
