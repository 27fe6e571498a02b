// Means of figures that are no rates, and the rows that results are made of.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/results.h"
#include "eval/intervals.h"

namespace reveille::eval {

struct Mean {
  double value = 0;
  std::int64_t n = 0;
  Interval interval;  // NaN where there are fewer than two values
};

// Percentile bootstrap over the values. None: Error(numeric).
Mean mean_of(std::span<const double> values, const Rng& rng);
// The mean of a[i] - b[i].
Mean mean_difference(std::span<const double> a, std::span<const double> b, const Rng& rng);
// The share of values that are true, one value a prompt (intervals.h, rate_by_prompt).
Mean share_of(const std::vector<bool>& values, const Rng& rng);

// `about` with the rest filled in.
ResultRow row_of(ResultRow about, const std::string& condition, const std::string& metric, const Mean& mean);
// A figure without an interval.
ResultRow row_of(ResultRow about, const std::string& condition, const std::string& metric, double value,
                 std::int64_t n);

// For the draws behind a figure: a function of the run's seed and what is measured.
Rng draws(const ResultRow& about, const std::string& what);

}  // namespace reveille::eval
