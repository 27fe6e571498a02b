// GGML's quantised blocks: to floating point (all that we read) and from it (Q8_0).
//
// Bit for bit what llama.cpp's dequantize_row_* and the Python package `gguf` compute in fp32;
// bfloat16 results are those values rounded to nearest, ties to even. Uses all threads.
// Method: ggml-quants.c of llama.cpp (MIT).
#pragma once

#include <c10/util/BFloat16.h>

#include <cstddef>
#include <cstdint>

#include "io/tensor_format.h"

namespace reveille::io {

// `elements` is a multiple of the format's block; `out` has room for as many.
void dequantise(TensorFormat format, const std::byte* blocks, std::int64_t elements, float* out);
void dequantise(TensorFormat format, const std::byte* blocks, std::int64_t elements, c10::BFloat16* out);

// As llama.cpp's quantize_row_q8_0_ref. `elements` is a multiple of 32; `out` takes 34 bytes
// for each 32. False when a value is not finite or too large for the format.
[[nodiscard]] bool quantise_q8_0(const float* values, std::int64_t elements, std::byte* out);

}  // namespace reveille::io
