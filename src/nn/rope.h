// Tables of the rotary position embedding.
#pragma once

#include <ATen/core/Tensor.h>

#include <utility>
#include <vector>

#include "nn/config.h"

namespace reveille::nn {

// cos and sin, [positions, head_dim] float32, in the rotate-half layout (the second half
// repeats the first). Frequencies as transformers computes them for each rope type; `factors`
// (GGUF's rope_freqs, may be empty) divides them. Throws Error(unsupported) on another type.
std::pair<at::Tensor, at::Tensor> rope_tables(const RopeConfig& rope, const std::vector<double>& factors,
                                              std::int64_t head_dim, std::int64_t positions, at::Device device);

}  // namespace reveille::nn
