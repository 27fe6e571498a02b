#include "base/wilson.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "base/error.h"

namespace reveille {
namespace {

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

}  // namespace

double normal_quantile(double p) {
  if (!(p > 0 && p < 1)) fail(ErrorKind::internal, cat("normal_quantile(", p, "): expected a value between 0 and 1"));
  // Newton's method converges from 0 once steps are kept short.
  double x = 0;
  for (int i = 0; i < 100; ++i) {
    double density = std::exp(-x * x / 2) / std::sqrt(2 * std::numbers::pi);
    double step = std::clamp((p - normal_cdf(x)) / density, -1.0, 1.0);
    x += step;
    if (std::abs(step) < 1e-15) break;
  }
  return x;
}

Interval wilson(std::int64_t hits, std::int64_t n, double confidence) {
  if (hits < 0 || n < 0 || hits > n) fail(ErrorKind::internal, cat("a rate of ", hits, " of ", n, " is none"));
  if (n == 0) return {0, 1};
  double z = normal_quantile(1 - (1 - confidence) / 2), count = static_cast<double>(n);
  double p = static_cast<double>(hits) / count, spread = 1 + z * z / count;
  double center = (p + z * z / (2 * count)) / spread;
  double half = z * std::sqrt(p * (1 - p) / count + z * z / (4 * count * count)) / spread;
  return {hits == 0 ? 0 : std::max(0.0, center - half), hits == n ? 1 : std::min(1.0, center + half)};
}

}  // namespace reveille
