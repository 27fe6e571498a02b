// The kernels for AVX512-BF16: those of AVX-512, and products of bfloat16 pairs.
#include <immintrin.h>

#include <cstdint>
#include <type_traits>

#include "nn/kernels.h"

// To the end of the file, for templates are instantiated there. No other library is included below.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC bug 105593, in its own intrinsics
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16,avx2,fma")
#define REVEILLE_AVX512 1
#define REVEILLE_BF16 1
#include "nn/kernels_attention_backward.h"
#include "nn/kernels_decode.h"
#include "nn/kernels_head.h"

namespace reveille::nn::kernels {

const AttentionKernels& bf16_attention() {
  static const AttentionKernels kernels = attention_kernels<DotBf16>();
  return kernels;
}

const PanelKernels& bf16_panels() {
  static const PanelKernels kernels = panel_kernels<DotBf16>();
  return kernels;
}

}  // namespace reveille::nn::kernels
