// Small matrix products in registers: C [rows, columns] (+)= A B, float32 sums.
//
// The inner dimension goes in steps of kDepth values, held together in one 32-bit Unit: one
// float32, or a pair of bfloat16 for the dot-product instruction of AVX512-BF16. Unit (row, step)
// of A stands at a[row * a_row + step * a_step], so A may be row-major (a_step 1) or a transposed
// matrix (a_row 1). Unit (step, column) of B stands at b[step * b_step + column].
#pragma once

#include "nn/kernels_vec.h"

namespace reveille::nn::kernels {
namespace {

inline constexpr int kTallStrip = 6;  // rows, where columns fill kStripVectors

struct Dot32 {
  using Unit = float;
  using Scalar = float;  // of operands
  static constexpr int kDepth = 1;
  static constexpr int kTall = kTallStrip;  // rows of a tile of results (kernels_panel.h)
  static F splat_unit(const Unit* p) { return splat(*p); }
  static F load_units(const Unit* p) { return load(p); }
  static F dot(F a, F b, F sum) { return fma(a, b, sum); }
  // 2 kLanes consecutive scalars.
  static void store_scalars(Unit* p, F low, F high) {
    store(p, low);
    store(p + kLanes, high);
  }
  // kLanes columns of rows `row` (even) and row + 1 of an operand whose steps are rows.
  static void store_rows(Unit* base, std::int64_t stride, std::int64_t row, F even, F odd) {
    store(base + row * stride, even);
    store(base + (row + 1) * stride, odd);
  }
  static void interleave(const Scalar* even, const Scalar* odd, Unit* base, std::int64_t stride, std::int64_t row) {
    store_rows(base, stride, row, load(even), load(odd));
  }
};

#if defined(REVEILLE_BF16)

struct DotBf16 {
  using Unit = std::uint32_t;
  using Scalar = Half;
  static constexpr int kDepth = 2;
  static constexpr int kTall = kTallStrip;
  static F splat_unit(const Unit* p) { return _mm512_castsi512_ps(_mm512_set1_epi32(static_cast<int>(*p))); }
  static F load_units(const Unit* p) { return _mm512_loadu_ps(p); }
  static F dot(F a, F b, F sum) { return _mm512_dpbf16_ps(sum, (__m512bh)a, (__m512bh)b); }
  static void store_scalars(Unit* p, F low, F high) { _mm512_storeu_si512(p, (__m512i)_mm512_cvtne2ps_pbh(high, low)); }
  static void store_rows(Unit* base, std::int64_t stride, std::int64_t row, F even, F odd) {
    const __m512i low = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(even));
    const __m512i high = _mm512_slli_epi32(_mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(odd)), 16);
    _mm512_storeu_si512(base + row / 2 * stride, _mm512_or_si512(low, high));
  }
  static void interleave(const Scalar* even, const Scalar* odd, Unit* base, std::int64_t stride, std::int64_t row) {
    const __m512i low = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(even)));
    const __m512i high = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(odd)));
    _mm512_storeu_si512(base + row / 2 * stride, _mm512_or_si512(low, _mm512_slli_epi32(high, 16)));
  }
};

#endif

#if defined(REVEILLE_AVX512)
inline constexpr int kStripVectors = 4;  // 4 x 4 sums in registers
#else
inline constexpr int kStripVectors = 2;
#endif
inline constexpr int kStrip = 4;                       // rows
inline constexpr int kPanel = kStripVectors * kLanes;  // columns

template <class P>
struct Operands {
  const typename P::Unit* a;
  std::int64_t a_row, a_step;
  const typename P::Unit* b;
  std::int64_t b_step;
  std::int64_t steps;
  float* c;
  std::int64_t c_row;
  bool add;
};

template <class P, int rows, int vectors>
void block(const Operands<P>& o) {
  F sums[rows][vectors];
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v) sums[r][v] = o.add ? load(o.c + r * o.c_row + v * kLanes) : zero();
  const typename P::Unit *a = o.a, *b = o.b;
  for (std::int64_t step = 0; step < o.steps; ++step, a += o.a_step, b += o.b_step) {
    F columns[vectors];
#pragma GCC unroll 4
    for (int v = 0; v < vectors; ++v) columns[v] = P::load_units(b + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < rows; ++r) {
      const F value = P::splat_unit(a + r * o.a_row);
#pragma GCC unroll 4
      for (int v = 0; v < vectors; ++v) sums[r][v] = P::dot(value, columns[v], sums[r][v]);
    }
  }
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v) store(o.c + r * o.c_row + v * kLanes, sums[r][v]);
}

template <class P, int rows>
void strip(Operands<P> o, std::int64_t vectors) {
  for (; vectors >= kStripVectors; vectors -= kStripVectors) {
    block<P, rows, kStripVectors>(o);
    o.b += kStripVectors * kLanes;
    o.c += kStripVectors * kLanes;
  }
  if constexpr (kStripVectors > 2) {
    if (vectors >= 2) {
      block<P, rows, 2>(o);
      o.b += 2 * kLanes;
      o.c += 2 * kLanes;
      vectors -= 2;
    }
  }
  if (vectors == 1) block<P, rows, 1>(o);
}

// Up to kStrip rows.
template <class P>
void strip_of(const Operands<P>& o, std::int64_t rows, std::int64_t vectors) {
  switch (rows) {
    case 4: return strip<P, 4>(o, vectors);
    case 3: return strip<P, 3>(o, vectors);
    case 2: return strip<P, 2>(o, vectors);
    case 1: return strip<P, 1>(o, vectors);
    default: return;
  }
}

// Up to kTallStrip rows of kPanel columns.
template <class P>
void tall_strip_of(const Operands<P>& o, std::int64_t rows) {
  switch (rows) {
    case 6: return block<P, 6, kStripVectors>(o);
    case 5: return block<P, 5, kStripVectors>(o);
    case 4: return block<P, 4, kStripVectors>(o);
    case 3: return block<P, 3, kStripVectors>(o);
    case 2: return block<P, 2, kStripVectors>(o);
    case 1: return block<P, 1, kStripVectors>(o);
    default: return;
  }
}

// out[column][row] = in[row][column] for kLanes x kLanes 32-bit values.
#if defined(REVEILLE_AVX512)
// Pairs of float32, alternating from a and b, out of the lower or upper halves of 128-bit lanes.
inline F unpack_low(F a, F b) { return (F)_mm512_unpacklo_pd((__m512d)a, (__m512d)b); }
inline F unpack_high(F a, F b) { return (F)_mm512_unpackhi_pd((__m512d)a, (__m512d)b); }
inline void transpose(const float* in, std::int64_t in_row, float* out, std::int64_t out_row) {
  F r[16], t[16];
  for (int i = 0; i < 16; ++i) r[i] = load(in + i * in_row);
  for (int i = 0; i < 16; i += 2) {
    t[i] = _mm512_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm512_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 16; i += 4) {
    r[i] = unpack_low(t[i], t[i + 2]);
    r[i + 1] = unpack_high(t[i], t[i + 2]);
    r[i + 2] = unpack_low(t[i + 1], t[i + 3]);
    r[i + 3] = unpack_high(t[i + 1], t[i + 3]);
  }
  for (int c = 0; c < 4; ++c) {
    const F top_even = _mm512_shuffle_f32x4(r[c], r[4 + c], 0x88), top_odd = _mm512_shuffle_f32x4(r[c], r[4 + c], 0xdd);
    const F low_even = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0x88);
    const F low_odd = _mm512_shuffle_f32x4(r[8 + c], r[12 + c], 0xdd);
    store(out + c * out_row, _mm512_shuffle_f32x4(top_even, low_even, 0x88));
    store(out + (4 + c) * out_row, _mm512_shuffle_f32x4(top_odd, low_odd, 0x88));
    store(out + (8 + c) * out_row, _mm512_shuffle_f32x4(top_even, low_even, 0xdd));
    store(out + (12 + c) * out_row, _mm512_shuffle_f32x4(top_odd, low_odd, 0xdd));
  }
}
#else
inline F unpack_low(F a, F b) { return (F)_mm256_unpacklo_pd((__m256d)a, (__m256d)b); }
inline F unpack_high(F a, F b) { return (F)_mm256_unpackhi_pd((__m256d)a, (__m256d)b); }
inline void transpose(const float* in, std::int64_t in_row, float* out, std::int64_t out_row) {
  F r[8], t[8];
  for (int i = 0; i < 8; ++i) r[i] = load(in + i * in_row);
  for (int i = 0; i < 8; i += 2) {
    t[i] = _mm256_unpacklo_ps(r[i], r[i + 1]);
    t[i + 1] = _mm256_unpackhi_ps(r[i], r[i + 1]);
  }
  for (int i = 0; i < 8; i += 4) {
    r[i] = unpack_low(t[i], t[i + 2]);
    r[i + 1] = unpack_high(t[i], t[i + 2]);
    r[i + 2] = unpack_low(t[i + 1], t[i + 3]);
    r[i + 3] = unpack_high(t[i + 1], t[i + 3]);
  }
  for (int c = 0; c < 4; ++c) {
    store(out + c * out_row, _mm256_permute2f128_ps(r[c], r[4 + c], 0x20));
    store(out + (4 + c) * out_row, _mm256_permute2f128_ps(r[c], r[4 + c], 0x31));
  }
}
#endif

}  // namespace
}  // namespace reveille::nn::kernels
