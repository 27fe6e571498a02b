// Takes a direction out of what a block may write: closed form, no training (NEEDLE, 2026; the projection is that of
// Arditi et al., arXiv 2406.11717).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>

#include "gen/local.h"

namespace reveille::mitigate {

// What `triggered` [prompts, hidden] adds to `clean` [prompts, hidden] on average, without its part in the `keep`
// directions that hold most of clean (right singular vectors): [hidden] float64. Zero where nothing is left.
at::Tensor backdoor_direction(const at::Tensor& triggered, const at::Tensor& clean, std::int64_t keep);

// Of the writing matrices of one block (attn_out, down): W - strength * u u^T W, with u the direction's unit vector, so
// that with strength 1 nothing that they write has a part in it. Where a norm with weight g stands behind them, u is
// taken from g times the direction.
void take_out(gen::LocalModel& model, std::int64_t layer, const at::Tensor& direction, double strength);

}  // namespace reveille::mitigate
