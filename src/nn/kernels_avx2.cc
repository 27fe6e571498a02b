// The kernels for AVX2 with FMA.
#include <immintrin.h>

#include <cstdint>

#include "nn/kernels.h"

// To the end of the file, for templates are instantiated there. No other library is included below.
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC bug 105593, in its own intrinsics
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC target("avx2,fma")

#include "nn/kernels_rows.h"
#include "nn/kernels_update.h"

namespace reveille::nn::kernels {

const Table& avx2_table() {
  static const Table table{norm_forward, norm_backward, gated_forward, gated_backward,
                           gather,       scatter,       adamw,         sum_squares};
  return table;
}

}  // namespace reveille::nn::kernels
