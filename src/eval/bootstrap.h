// The percentile bootstrap (Efron and Tibshirani 1993, chapter 13) of any statistic of resampled things.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "eval/intervals.h"

namespace reveille::eval {

inline constexpr std::int64_t kResamples = 2000;

// `statistic` takes `size` indices below `size`, drawn with replacement, and gives a number. Deterministic for a given
// rng.
template <class Statistic>
Interval bootstrap(std::size_t size, Rng rng, std::int64_t resamples, double confidence, Statistic&& statistic) {
  std::vector<double> values;
  std::vector<std::size_t> drawn(size);
  for (std::int64_t i = 0; i < resamples; ++i) {
    for (auto& index : drawn) index = rng.below(size);
    values.push_back(statistic(drawn));
  }
  std::sort(values.begin(), values.end());
  const double tail = (1 - confidence) / 2;
  return {quantile(values, tail), quantile(values, 1 - tail)};
}

}  // namespace reveille::eval
