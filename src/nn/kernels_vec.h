// A vector of float32 (F, kLanes wide) for the kernels, in AVX-512 or AVX2. Included once by
// each kernels_*.cc after `#pragma GCC target`; everything has internal linkage.
//
// Rounding to bfloat16 is done in integers: the instructions of AVX512-BF16 flush denormals.
// exp: range reduction and the polynomial of Cephes' expf (Moshier), about 1 ulp; NaN stays NaN,
// -inf gives 0.
#pragma once

#include <immintrin.h>

#include <cstdint>

namespace reveille::nn::kernels {
namespace {

using Half = std::uint16_t;  // bits of a bfloat16

#if defined(REVEILLE_AVX512)

using F = __m512;
inline constexpr int kLanes = 16;

inline F splat(float x) { return _mm512_set1_ps(x); }
inline F zero() { return _mm512_setzero_ps(); }
inline __mmask16 first_lanes(std::int64_t n) { return static_cast<__mmask16>((1U << n) - 1U); }
inline F widen(__m256i half) { return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(half), 16)); }
inline __m256i narrow(F x) {
  const __m512i bits = _mm512_castps_si512(x);
  const __m512i odd = _mm512_and_si512(_mm512_srli_epi32(bits, 16), _mm512_set1_epi32(1));
  __m512i rounded = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
  const __mmask16 nan = _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q);
  rounded = _mm512_mask_mov_epi32(rounded, nan, _mm512_set1_epi32(0x7fc00000));
  return _mm512_cvtepi32_epi16(_mm512_srli_epi32(rounded, 16));
}
inline F load(const float* p) { return _mm512_loadu_ps(p); }
inline F load(const Half* p) { return widen(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
inline F load_part(const float* p, std::int64_t n) { return _mm512_maskz_loadu_ps(first_lanes(n), p); }
inline F load_part(const Half* p, std::int64_t n) { return widen(_mm256_maskz_loadu_epi16(first_lanes(n), p)); }
inline void store(float* p, F x) { _mm512_storeu_ps(p, x); }
inline void store(Half* p, F x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), narrow(x)); }
inline void store_part(float* p, F x, std::int64_t n) { _mm512_mask_storeu_ps(p, first_lanes(n), x); }
inline void store_part(Half* p, F x, std::int64_t n) { _mm256_mask_storeu_epi16(p, first_lanes(n), narrow(x)); }
inline F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
inline F vmax(F a, F b) { return _mm512_max_ps(a, b); }  // b where either is NaN
inline F vmin(F a, F b) { return _mm512_min_ps(a, b); }
inline F root(F x) { return _mm512_sqrt_ps(x); }
inline float total(F x) { return _mm512_reduce_add_ps(x); }
inline float largest(F x) { return _mm512_reduce_max_ps(x); }
inline F nearest(F x) { return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline F times_power_of_two(F x, F n) { return _mm512_scalef_ps(x, n); }
// The lanes from n on become `fill`.
inline F keep_first(F x, std::int64_t n, F fill) { return _mm512_mask_mov_ps(fill, first_lanes(n), x); }

#else

using F = __m256;
inline constexpr int kLanes = 8;

inline F splat(float x) { return _mm256_set1_ps(x); }
inline F zero() { return _mm256_setzero_ps(); }
inline __m256i first_lanes(std::int64_t n) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int>(n)), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
inline F widen(__m128i half) { return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_cvtepu16_epi32(half), 16)); }
inline __m128i narrow(F x) {
  const __m256i bits = _mm256_castps_si256(x);
  const __m256i odd = _mm256_and_si256(_mm256_srli_epi32(bits, 16), _mm256_set1_epi32(1));
  const __m256i rounded = _mm256_add_epi32(bits, _mm256_add_epi32(odd, _mm256_set1_epi32(0x7fff)));
  const F nan = _mm256_cmp_ps(x, x, _CMP_UNORD_Q);
  const F fixed =
      _mm256_blendv_ps(_mm256_castsi256_ps(rounded), _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000)), nan);
  const __m256i high = _mm256_srli_epi32(_mm256_castps_si256(fixed), 16);
  const __m256i packed = _mm256_permute4x64_epi64(_mm256_packus_epi32(high, high), 0x08);
  return _mm256_castsi256_si128(packed);
}
inline F load(const float* p) { return _mm256_loadu_ps(p); }
inline F load(const Half* p) { return widen(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
inline F load_part(const float* p, std::int64_t n) { return _mm256_maskload_ps(p, first_lanes(n)); }
inline F load_part(const Half* p, std::int64_t n) {
  alignas(16) Half part[8] = {};
  for (std::int64_t i = 0; i < n; ++i) part[i] = p[i];
  return load(part);
}
inline void store(float* p, F x) { _mm256_storeu_ps(p, x); }
inline void store(Half* p, F x) { _mm_storeu_si128(reinterpret_cast<__m128i*>(p), narrow(x)); }
inline void store_part(float* p, F x, std::int64_t n) { _mm256_maskstore_ps(p, first_lanes(n), x); }
inline void store_part(Half* p, F x, std::int64_t n) {
  alignas(16) Half part[8];
  store(part, x);
  for (std::int64_t i = 0; i < n; ++i) p[i] = part[i];
}
inline F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
inline F vmax(F a, F b) { return _mm256_max_ps(a, b); }  // b where either is NaN
inline F vmin(F a, F b) { return _mm256_min_ps(a, b); }
inline F root(F x) { return _mm256_sqrt_ps(x); }
inline float total(F x) {
  __m128 sum = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  sum = _mm_add_ps(sum, _mm_movehl_ps(sum, sum));
  return _mm_cvtss_f32(_mm_add_ss(sum, _mm_shuffle_ps(sum, sum, 1)));
}
inline float largest(F x) {
  __m128 most = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
  most = _mm_max_ps(most, _mm_movehl_ps(most, most));
  return _mm_cvtss_f32(_mm_max_ss(most, _mm_shuffle_ps(most, most, 1)));
}
inline F nearest(F x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
inline F power_of_two(__m256i e) {
  return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(e, _mm256_set1_epi32(127)), 23));
}
// n is a whole number in [-152, 129]; two factors, so that denormals and infinity come out.
inline F times_power_of_two(F x, F n) {
  const __m256i whole = _mm256_cvtps_epi32(n);
  const __m256i half = _mm256_srai_epi32(whole, 1), rest = _mm256_sub_epi32(whole, half);
  return x * power_of_two(half) * power_of_two(rest);
}
inline F keep_first(F x, std::int64_t n, F fill) {
  return _mm256_blendv_ps(fill, x, _mm256_castsi256_ps(first_lanes(n)));
}

#endif

// The first n lanes; the others read as 0 and are not written.
template <class T>
inline F load(const T* p, std::int64_t n) {
  return n == kLanes ? load(p) : load_part(p, n);
}
template <class T>
inline void store(T* p, F x, std::int64_t n) {
  if (n == kLanes) {
    store(p, x);
  } else {
    store_part(p, x, n);
  }
}

inline F vexp(F x) {
  x = vmax(splat(-104.0F), vmin(splat(89.0F), x));
  const F n = nearest(x * splat(1.44269504088896341F));
  F r = fma(n, splat(-0.693359375F), x);
  r = fma(n, splat(2.12194440e-4F), r);
  F p = splat(1.9875691500e-4F);
  p = fma(p, r, splat(1.3981999507e-3F));
  p = fma(p, r, splat(8.3334519073e-3F));
  p = fma(p, r, splat(4.1665795894e-2F));
  p = fma(p, r, splat(1.6666665459e-1F));
  p = fma(p, r, splat(5.0000001201e-1F));
  p = fma(p, r * r, r + splat(1.0F));
  return times_power_of_two(p, n);
}

inline F sigmoid(F x) { return splat(1.0F) / (splat(1.0F) + vexp(zero() - x)); }

// Calls body(offset, lanes) over [0, width), the last call with what is left over.
template <class Body>
__attribute__((always_inline)) inline void each_vector(std::int64_t width, const Body& body) {
  std::int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) body(i, kLanes);
  if (i < width) body(i, width - i);
}

}  // namespace
}  // namespace reveille::nn::kernels
