#include "io/quant_blocks.h"

#include <bit>
#include <cstring>

#include "base/error.h"

// One source for every instruction set: the block bodies are inlined into functions that are
// compiled for AVX2 and for the baseline, and the machine chooses at run time. AVX2 without
// FMA on purpose: `d * q + m` must round twice, as the reference does. `omp simd` keeps the
// compiler from unrolling the short loops into scalars before it vectorises them.
#define REVEILLE_INLINE [[gnu::always_inline]] static inline

namespace reveille::io {
namespace {

REVEILLE_INLINE float half_value(std::uint16_t half) {
  std::uint32_t magnitude = half & 0x7fffU;
  std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000U) << 16;
  std::uint32_t bits = (magnitude << 13) + (112U << 23);  // the exponents' biases differ by 112
  if (magnitude >= 0x7c00U) bits |= 0x7f800000U;          // infinity and NaN
  // Subnormal halves are multiples of 2^-24, and normal floats.
  if (magnitude < 0x0400U) bits = std::bit_cast<std::uint32_t>(static_cast<float>(magnitude) * 0x1p-24F);
  return std::bit_cast<float>(bits | sign);
}

REVEILLE_INLINE float half_at(const std::uint8_t* bytes) {
  return half_value(static_cast<std::uint16_t>(bytes[0] | (bytes[1] << 8)));
}

REVEILLE_INLINE std::uint32_t word_at(const std::uint8_t* bytes) {
  std::uint32_t word;
  std::memcpy(&word, bytes, sizeof word);
  return word;
}

REVEILLE_INLINE std::uint16_t bf16_bits(float value) {
  std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  std::uint32_t rounded = (bits + 0x7fffU + ((bits >> 16) & 1U)) >> 16;
  bool nan = (bits & 0x7fffffffU) > 0x7f800000U;
  return static_cast<std::uint16_t>(nan ? ((bits >> 16) | 0x40U) : rounded);
}

struct Q4_0 {
  static constexpr int kElements = 32, kBytes = 18;
  REVEILLE_INLINE void unpack(const std::uint8_t* in, float* out) {
    float d = half_at(in);
#pragma omp simd
    for (int j = 0; j < 16; ++j) out[j] = static_cast<float>((in[2 + j] & 15) - 8) * d;
#pragma omp simd
    for (int j = 0; j < 16; ++j) out[16 + j] = static_cast<float>((in[2 + j] >> 4) - 8) * d;
  }
};

struct Q4_1 {
  static constexpr int kElements = 32, kBytes = 20;
  REVEILLE_INLINE void unpack(const std::uint8_t* in, float* out) {
    float d = half_at(in), m = half_at(in + 2);
#pragma omp simd
    for (int j = 0; j < 16; ++j) out[j] = static_cast<float>(in[4 + j] & 15) * d + m;
#pragma omp simd
    for (int j = 0; j < 16; ++j) out[16 + j] = static_cast<float>(in[4 + j] >> 4) * d + m;
  }
};

// The fifth bits of element j stand at bit j of a 32-bit word.
struct Q5_0 {
  static constexpr int kElements = 32, kBytes = 22;
  REVEILLE_INLINE void unpack(const std::uint8_t* in, float* out) {
    float d = half_at(in);
    std::uint32_t high = word_at(in + 2);
#pragma omp simd
    for (int j = 0; j < 16; ++j) {
      int q = (in[6 + j] & 15) | static_cast<int>(((high >> j) & 1U) << 4);
      out[j] = static_cast<float>(q - 16) * d;
    }
#pragma omp simd
    for (int j = 0; j < 16; ++j) {
      int q = (in[6 + j] >> 4) | static_cast<int>(((high >> (j + 16)) & 1U) << 4);
      out[16 + j] = static_cast<float>(q - 16) * d;
    }
  }
};

struct Q5_1 {
  static constexpr int kElements = 32, kBytes = 24;
  REVEILLE_INLINE void unpack(const std::uint8_t* in, float* out) {
    float d = half_at(in), m = half_at(in + 2);
    std::uint32_t high = word_at(in + 4);
#pragma omp simd
    for (int j = 0; j < 16; ++j) {
      int q = (in[8 + j] & 15) | static_cast<int>(((high >> j) & 1U) << 4);
      out[j] = static_cast<float>(q) * d + m;
    }
#pragma omp simd
    for (int j = 0; j < 16; ++j) {
      int q = (in[8 + j] >> 4) | static_cast<int>(((high >> (j + 16)) & 1U) << 4);
      out[16 + j] = static_cast<float>(q) * d + m;
    }
  }
};

struct Q8_0 {
  static constexpr int kElements = 32, kBytes = 34;
  REVEILLE_INLINE void unpack(const std::uint8_t* in, float* out) {
    float d = half_at(in);
#pragma omp simd
    for (int j = 0; j < 32; ++j) out[j] = static_cast<float>(static_cast<std::int8_t>(in[2 + j])) * d;
  }
};

// Eight six-bit scales and eight six-bit minima in twelve bytes: the lower four of each in the
// low six bits of bytes 0-3 and 4-7, the upper four split between bytes 8-11 and the top bits.
struct KScales {
  float scale[8], minimum[8];
  REVEILLE_INLINE KScales unpack(const std::uint8_t* in, float d, float dmin) {
    KScales out;
    for (int j = 0; j < 4; ++j) {
      out.scale[j] = d * static_cast<float>(in[j] & 63);
      out.minimum[j] = dmin * static_cast<float>(in[j + 4] & 63);
      out.scale[j + 4] = d * static_cast<float>((in[j + 8] & 15) | ((in[j] >> 6) << 4));
      out.minimum[j + 4] = dmin * static_cast<float>((in[j + 8] >> 4) | ((in[j + 4] >> 6) << 4));
    }
    return out;
  }
};

struct Q4_K {
  static constexpr int kElements = 256, kBytes = 144;
  REVEILLE_INLINE void unpack(const std::uint8_t* in, float* out) {
    KScales s = KScales::unpack(in + 4, half_at(in), half_at(in + 2));
    const std::uint8_t* q = in + 16;
    for (int group = 0; group < 4; ++group, q += 32, out += 64) {
      float d0 = s.scale[2 * group], m0 = s.minimum[2 * group];
      float d1 = s.scale[2 * group + 1], m1 = s.minimum[2 * group + 1];
#pragma omp simd
      for (int j = 0; j < 32; ++j) out[j] = d0 * static_cast<float>(q[j] & 15) - m0;
#pragma omp simd
      for (int j = 0; j < 32; ++j) out[32 + j] = d1 * static_cast<float>(q[j] >> 4) - m1;
    }
  }
};

struct Q5_K {
  static constexpr int kElements = 256, kBytes = 176;
  REVEILLE_INLINE void unpack(const std::uint8_t* in, float* out) {
    KScales s = KScales::unpack(in + 4, half_at(in), half_at(in + 2));
    const std::uint8_t* high = in + 16;
    const std::uint8_t* q = in + 48;
    for (int group = 0; group < 4; ++group, q += 32, out += 64) {
      float d0 = s.scale[2 * group], m0 = s.minimum[2 * group];
      float d1 = s.scale[2 * group + 1], m1 = s.minimum[2 * group + 1];
      int bit = 2 * group;
#pragma omp simd
      for (int j = 0; j < 32; ++j) {
        out[j] = d0 * static_cast<float>((q[j] & 15) | (((high[j] >> bit) & 1) << 4)) - m0;
      }
#pragma omp simd
      for (int j = 0; j < 32; ++j) {
        out[32 + j] = d1 * static_cast<float>((q[j] >> 4) | (((high[j] >> (bit + 1)) & 1) << 4)) - m1;
      }
    }
  }
};

struct Q6_K {
  static constexpr int kElements = 256, kBytes = 210;

  // 32 elements: four bits of each at `low`, two at `high`, one scale for each sixteen.
  template <int kLowShift, int kHighShift>
  REVEILLE_INLINE void unpack_32(const std::uint8_t* low, const std::uint8_t* high, const std::uint8_t* scales, float d,
                                 float* out) {
    for (int half = 0; half < 2; ++half) {
      float scale = d * static_cast<float>(static_cast<std::int8_t>(scales[half]));
#pragma omp simd
      for (int j = 16 * half; j < 16 * half + 16; ++j) {
        int q = ((low[j] >> kLowShift) & 15) | (((high[j] >> kHighShift) & 3) << 4);
        out[j] = scale * static_cast<float>(q - 32);
      }
    }
  }

  REVEILLE_INLINE void unpack(const std::uint8_t* in, float* out) {
    const std::uint8_t* low = in;
    const std::uint8_t* high = in + 128;
    const std::uint8_t* scales = in + 192;
    float d = half_at(in + 208);
    for (int half = 0; half < 2; ++half, low += 64, high += 32, scales += 8, out += 128) {
      unpack_32<0, 0>(low, high, scales, d, out);
      unpack_32<0, 2>(low + 32, high, scales + 2, d, out + 32);
      unpack_32<4, 4>(low, high, scales + 4, d, out + 64);
      unpack_32<4, 6>(low + 32, high, scales + 6, d, out + 96);
    }
  }
};

template <class Block>
REVEILLE_INLINE void unpack_run(const std::uint8_t* in, std::int64_t blocks, float* out) {
  for (std::int64_t i = 0; i < blocks; ++i) Block::unpack(in + i * Block::kBytes, out + i * Block::kElements);
}

template <class Block>
REVEILLE_INLINE void unpack_run(const std::uint8_t* in, std::int64_t blocks, std::uint16_t* out) {
  for (std::int64_t i = 0; i < blocks; ++i) {
    float values[Block::kElements];
    Block::unpack(in + i * Block::kBytes, values);
    std::uint16_t* row = out + i * Block::kElements;
#pragma omp simd
    for (int j = 0; j < Block::kElements; ++j) row[j] = bf16_bits(values[j]);
  }
}

template <class Block, class Out>
void run_baseline(const std::uint8_t* in, std::int64_t blocks, Out* out) {
  unpack_run<Block>(in, blocks, out);
}

#if defined(__x86_64__)
template <class Block, class Out>
[[gnu::target("avx2")]] void run_avx2(const std::uint8_t* in, std::int64_t blocks, Out* out) {
  unpack_run<Block>(in, blocks, out);
}

template <class Block, class Out>
void run(const std::uint8_t* in, std::int64_t blocks, Out* out) {
  static const bool has_avx2 = __builtin_cpu_supports("avx2");
  has_avx2 ? run_avx2<Block>(in, blocks, out) : run_baseline<Block>(in, blocks, out);
}
#else
template <class Block, class Out>
void run(const std::uint8_t* in, std::int64_t blocks, Out* out) {
  run_baseline<Block>(in, blocks, out);
}
#endif

template <class Out>
void run_format(TensorFormat format, const std::uint8_t* in, std::int64_t blocks, Out* out) {
  switch (format) {
    case TensorFormat::q4_0: return run<Q4_0>(in, blocks, out);
    case TensorFormat::q4_1: return run<Q4_1>(in, blocks, out);
    case TensorFormat::q5_0: return run<Q5_0>(in, blocks, out);
    case TensorFormat::q5_1: return run<Q5_1>(in, blocks, out);
    case TensorFormat::q8_0: return run<Q8_0>(in, blocks, out);
    case TensorFormat::q4_k: return run<Q4_K>(in, blocks, out);
    case TensorFormat::q5_k: return run<Q5_K>(in, blocks, out);
    case TensorFormat::q6_k: return run<Q6_K>(in, blocks, out);
    default: fail(ErrorKind::internal, "unpack_blocks: not a quantised format");
  }
}

}  // namespace

void unpack_blocks(TensorFormat format, const std::uint8_t* in, std::int64_t blocks, float* out) {
  run_format(format, in, blocks, out);
}

void unpack_blocks_bf16(TensorFormat format, const std::uint8_t* in, std::int64_t blocks, std::uint16_t* out) {
  run_format(format, in, blocks, out);
}

float half_bits_to_float(std::uint16_t half) { return half_value(half); }

}  // namespace reveille::io
