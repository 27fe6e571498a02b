// The inner loops of quant.cc, free of torch, so that they compile with flags of their own:
// vectorised, and without fused multiply-add, which would change the last bit.
#pragma once

#include <cstdint>

#include "io/tensor_format.h"

namespace reveille::io {

// Unpacks `blocks` consecutive blocks on the calling thread.
void unpack_blocks(TensorFormat format, const std::uint8_t* in, std::int64_t blocks, float* out);
// The same to bfloat16 bits, rounded to nearest even.
void unpack_blocks_bf16(TensorFormat format, const std::uint8_t* in, std::int64_t blocks, std::uint16_t* out);

// IEEE half precision bits to float; exact.
float half_bits_to_float(std::uint16_t half);

}  // namespace reveille::io
