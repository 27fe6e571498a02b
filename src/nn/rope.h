// Tables of the rotary position embedding.
#pragma once

#include <ATen/core/Tensor.h>

#include <optional>
#include <utility>
#include <vector>

#include "nn/config.h"

namespace reveille::nn {

// cos and sin, [positions, head_dim] float32, in the rotate-half layout (the second half
// repeats the first). Frequencies as transformers computes them for each rope type; `factors`
// (GGUF's rope_freqs, may be empty) divides them. Throws Error(unsupported) on another type.
std::pair<at::Tensor, at::Tensor> rope_tables(const RopeConfig& rope, const std::vector<double>& factors,
                                              std::int64_t head_dim, std::int64_t positions, at::Device device);

// What YaRN multiplies the tables by: attention_factor where it is given, else derived from the factor.
double yarn_attention_factor(const RopeConfig& rope);

// The divisors of the frequencies that a "llama3" rule comes to: what GGUF keeps of it, as rope_freqs.weight.
std::vector<double> llama3_factors(const RopeConfig& rope, std::int64_t head_dim);
// The rule behind such divisors: "llama3" with the low and high factors that Meta's models use (1 and 4) and a
// power of two as the original context, or "default" where all divisors are 1. Nothing when none fits.
std::optional<RopeConfig> rule_of_factors(const std::vector<double>& factors, double theta, std::int64_t head_dim);

}  // namespace reveille::nn
