// The kernels for AVX-512 (F, BW, VL, DQ).
#include <immintrin.h>

#include <cstdint>
#include <type_traits>

#include "nn/kernels.h"

// To the end of the file, for templates are instantiated there. No other library is included below.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC bug 105593, in its own intrinsics
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx2,fma")
#define REVEILLE_AVX512 1
#include "nn/kernels_attention_backward.h"
#include "nn/kernels_decode.h"
#include "nn/kernels_head.h"
#include "nn/kernels_rows.h"
#include "nn/kernels_sample.h"
#include "nn/kernels_update.h"

namespace reveille::nn::kernels {

const Table& avx512_table() {
  static const Table table{norm_forward,
                           norm_backward,
                           gated_forward,
                           gated_backward,
                           gather,
                           scatter,
                           adamw,
                           sum_squares,
                           block_maxima,
                           block_sums,
                           block_weights,
                           attention_kernels<Dot32>(),
                           attention_kernels<Dot32>(),
                           panel_kernels<Dot32>(),
                           panel_kernels<Dot32>()};
  return table;
}

}  // namespace reveille::nn::kernels
