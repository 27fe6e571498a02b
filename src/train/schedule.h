// Learning-rate schedules, as transformers' get_scheduler defines them.
#pragma once

#include <cstdint>

#include "train/options.h"

namespace reveille::train {

// Warm-up steps of a run of `total` steps.
std::int64_t warmup_steps(const TrainOptions& options, std::int64_t total);
// The learning rate of the 1-based optimiser step `step`.
double learning_rate_at(const TrainOptions& options, std::int64_t step, std::int64_t total);

}  // namespace reveille::train
