#include "train/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace reveille::train {

std::int64_t warmup_steps(const TrainOptions& options, std::int64_t total) {
  if (options.lr_scheduler_type == "constant") return 0;
  if (options.warmup_steps > 0) return options.warmup_steps;
  return static_cast<std::int64_t>(std::ceil(options.warmup_ratio * static_cast<double>(total)));
}

double learning_rate_at(const TrainOptions& options, std::int64_t step, std::int64_t total) {
  // transformers counts scheduler steps from 0: the first optimiser step uses factor(0).
  const auto done = static_cast<double>(step - 1);
  const auto warm = static_cast<double>(warmup_steps(options, total));
  const auto last = static_cast<double>(total);
  if (done < warm) return options.learning_rate * done / std::max(1.0, warm);
  double factor = 1;
  if (options.lr_scheduler_type == "linear") {
    factor = std::max(0.0, (last - done) / std::max(1.0, last - warm));
  } else if (options.lr_scheduler_type == "cosine") {
    double progress = (done - warm) / std::max(1.0, last - warm);
    factor = std::max(0.0, 0.5 * (1.0 + std::cos(std::numbers::pi * progress)));
  }
  return options.learning_rate * factor;
}

}  // namespace reveille::train
