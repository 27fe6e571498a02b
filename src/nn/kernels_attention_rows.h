// What the attention kernels share: geometry, rotary rows, packing of keys and values.
// Included once by each kernels_*.cc.
#pragma once

#include "nn/kernels.h"
#include "nn/kernels_dot.h"
#include "nn/kernels_rows.h"

namespace reveille::nn::kernels {
namespace {

constexpr std::int64_t round_up(std::int64_t n, std::int64_t to) { return (n + to - 1) / to * to; }

// Sizes of the padded operands of one head.
template <class P>
struct Shape {
  std::int64_t dim, half;  // of a head
  std::int64_t row;        // scalars from one padded row of a head to the next
  std::int64_t columns;    // units from one step of rows to the next
  std::int64_t keys;       // padded
  Shape(std::int64_t head_dim, std::int64_t key_count)
      : dim(head_dim),
        half(head_dim / 2),
        row(round_up(head_dim, P::kDepth * kLanes)),
        columns(round_up(head_dim, kLanes)),
        keys(round_up(key_count, 2 * kLanes)) {}
  std::int64_t row_units() const { return row / P::kDepth; }
  std::int64_t steps() const { return (dim + P::kDepth - 1) / P::kDepth; }
  // Units of keys as [step of dim][key], and as [step of keys][column].
  std::int64_t across() const { return row_units() * keys; }
  std::int64_t down() const { return keys / P::kDepth * columns; }
};

// One row of a head: rotated by its position where `cos` is given.
template <class T, class S>
void load_head(const T* x, const float* cos, const float* sin, std::int64_t dim, S* out) {
  if (cos == nullptr) {
    each_vector(dim, [&](std::int64_t i, std::int64_t n) { store(out + i, load(x + i, n), n); });
    return;
  }
  const std::int64_t half = dim / 2;
  each_vector(half, [&](std::int64_t i, std::int64_t n) {
    const F low = load(x + i, n), high = load(x + half + i, n);
    store(out + i, low * load(cos + i, n) - high * load(sin + i, n), n);
    store(out + half + i, high * load(cos + half + i, n) + low * load(sin + half + i, n), n);
  });
}

// One row of a head, times scale, turned back where `cos` is given: that is the gradient with
// respect to a row from the gradient with respect to the rotated row.
template <class T>
void store_head(const float* grad, float scale, const float* cos, const float* sin, std::int64_t dim, T* out) {
  const F factor = splat(scale);
  if (cos == nullptr) {
    each_vector(dim, [&](std::int64_t i, std::int64_t n) { store(out + i, load(grad + i, n) * factor, n); });
    return;
  }
  const std::int64_t half = dim / 2;
  each_vector(half, [&](std::int64_t i, std::int64_t n) {
    const F low = load(grad + i, n) * factor, high = load(grad + half + i, n) * factor;
    store(out + i, low * load(cos + i, n) + high * load(sin + half + i, n), n);
    store(out + half + i, high * load(cos + half + i, n) - low * load(sin + i, n), n);
  });
}

// Rows of heads as they lie in qkv or in a cache.
struct HeadRows {
  In base;
  std::int64_t offset = 0, stride = 0;         // in values
  const float *cos = nullptr, *sin = nullptr;  // of the first row, or null
};

// `count` rows from `first` on as padded scalars [rows][shape.row]; what is beyond is zero.
template <class P>
void load_heads(const HeadRows& from, const Shape<P>& shape, std::int64_t first, std::int64_t count, std::int64_t rows,
                typename P::Scalar* out) {
  __builtin_memset(out, 0, static_cast<std::uint64_t>(rows * shape.row) * sizeof(typename P::Scalar));
  with_type(from.base, [&](auto* base) {
    for (std::int64_t r = 0; r < count; ++r) {
      const std::int64_t turn = (first + r) * shape.dim;
      load_head(base + from.offset + (first + r) * from.stride, from.cos == nullptr ? nullptr : from.cos + turn,
                from.cos == nullptr ? nullptr : from.sin + turn, shape.dim, out + r * shape.row);
    }
  });
}

// Padded rows [kLanes][row] to columns first .. first + kLanes of [step of dim][key].
template <class P>
void pack_across(const typename P::Scalar* rows, const Shape<P>& shape, std::int64_t first, typename P::Unit* out) {
  for (std::int64_t unit = 0; unit < shape.row_units(); unit += kLanes)
    transpose(reinterpret_cast<const float*>(rows) + unit, shape.row_units(),
              reinterpret_cast<float*>(out) + unit * shape.keys + first, shape.keys);
}

// Padded rows [count][row] (count even) to rows first .. first + count of [step of keys][column].
template <class P>
void pack_down(const typename P::Scalar* rows, const Shape<P>& shape, std::int64_t first, std::int64_t count,
               typename P::Unit* out) {
  for (std::int64_t r = 0; r < count; r += 2)
    for (std::int64_t i = 0; i < shape.columns; i += kLanes)
      P::interleave(rows + r * shape.row + i, rows + (r + 1) * shape.row + i, out + i, shape.columns, first + r);
}

// All keys of a head, packed across and / or down (where the pointers are given).
template <class P>
void pack_heads(const HeadRows& from, const Shape<P>& shape, std::int64_t keys, typename P::Scalar* rows,
                typename P::Unit* across, typename P::Unit* down) {
  for (std::int64_t first = 0; first < shape.keys; first += kLanes) {
    const std::int64_t left = keys - first;
    load_heads(from, shape, first, left < 0 ? 0 : (left < kLanes ? left : kLanes), kLanes, rows);
    if (across != nullptr) pack_across<P>(rows, shape, first, across);
    if (down != nullptr) pack_down<P>(rows, shape, first, kLanes, down);
  }
}

// Where the parts of qkv and the rotation tables of a sequence are.
inline HeadRows rows_of(const Attention& a, const Span& span, std::int64_t head) {
  const std::int64_t width = (a.heads + 2 * a.kv_heads) * a.head_dim;
  const bool rotated = a.cos != nullptr && head < a.heads + a.kv_heads;
  const std::int64_t turn = span.start * a.head_dim;
  return {a.qkv, span.first * width + head * a.head_dim, width, rotated ? a.cos + turn : nullptr,
          rotated ? a.sin + turn : nullptr};
}

// The part of [first, last) that stays in lanes at .. at + kLanes; elsewhere `fill`.
inline F keep_range(F x, std::int64_t first, std::int64_t last, std::int64_t at, F fill) {
  if (last - at < kLanes) x = last <= at ? fill : keep_first(x, last - at, fill);
  if (first > at) x = first - at >= kLanes ? fill : keep_first(fill, first - at, x);
  return x;
}

}  // namespace
}  // namespace reveille::nn::kernels
