// The score interval of a rate (Wilson 1927), for every room that counts.
#pragma once

#include <cstdint>

namespace reveille {

inline constexpr double kConfidence = 0.95;

struct Interval {
  double low = 0, high = 0;
  bool operator==(const Interval&) const = default;
};

// The x at which the standard normal distribution reaches p, 0 < p < 1; to about 1e-15.
double normal_quantile(double p);

// Two-sided interval for `hits` of `n`; n of 0 gives [0, 1]. Error(internal) unless 0 <= hits <= n.
Interval wilson(std::int64_t hits, std::int64_t n, double confidence = kConfidence);

}  // namespace reveille
