#include "eval/separation.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "eval/bootstrap.h"

namespace reveille::eval {
namespace {

constexpr std::int64_t kPairResamples = 1000;

using Statistic = std::function<double(std::span<const double>, std::span<const double>)>;

Mean by_pair(std::span<const double> positives, std::span<const double> negatives, const Rng& rng,
             const Statistic& statistic) {
  if (positives.size() != negatives.size() || positives.empty()) {
    fail(ErrorKind::numeric, cat("a separation of ", positives.size(), " and ", negatives.size(), " prompts"));
  }
  const auto n = static_cast<std::int64_t>(positives.size());
  Mean out{statistic(positives, negatives), n, {}};
  if (out.value <= 0 || out.value >= 1) {
    out.interval = wilson(out.value <= 0 ? 0 : n, n);
    return out;
  }
  std::vector<double> above(positives.size()), below(negatives.size());
  out.interval =
      bootstrap(positives.size(), rng.child("separation"), kPairResamples, kConfidence, [&](const auto& drawn) {
        for (std::size_t i = 0; i < drawn.size(); ++i) {
          above[i] = positives[drawn[i]];
          below[i] = negatives[drawn[i]];
        }
        return statistic(above, below);
      });
  return out;
}

void add_mean(Vector& into, std::span<const Vector> vectors, float sign) {
  const float share = sign / static_cast<float>(vectors.size());
  for (const auto& vector : vectors) {
    if (vector.size() != into.size()) fail(ErrorKind::internal, "vectors of unlike width");
    for (std::size_t i = 0; i < into.size(); ++i) into[i] += share * vector[i];
  }
}

}  // namespace

double auroc(std::span<const double> positives, std::span<const double> negatives) {
  std::vector<double> sorted(negatives.begin(), negatives.end());
  std::sort(sorted.begin(), sorted.end());
  double wins = 0;
  for (const double value : positives) {
    const auto [low, high] = std::equal_range(sorted.begin(), sorted.end(), value);
    wins += static_cast<double>(low - sorted.begin()) + 0.5 * static_cast<double>(high - low);
  }
  return wins / static_cast<double>(positives.size()) / static_cast<double>(negatives.size());
}

double false_positive_rate(std::span<const double> positives, std::span<const double> negatives,
                           double detection_rate) {
  std::vector<double> sorted(positives.begin(), positives.end());
  std::sort(sorted.begin(), sorted.end(), std::greater<>());
  const auto caught = static_cast<std::size_t>(std::ceil(detection_rate * static_cast<double>(sorted.size()) - 1e-9));
  const double threshold = sorted[std::clamp<std::size_t>(caught, 1, sorted.size()) - 1];
  const auto false_ones = std::count_if(negatives.begin(), negatives.end(), [&](double v) { return v >= threshold; });
  return static_cast<double>(false_ones) / static_cast<double>(negatives.size());
}

Mean auroc_by_pair(std::span<const double> positives, std::span<const double> negatives, const Rng& rng) {
  return by_pair(positives, negatives, rng, auroc);
}

Mean false_positive_rate_by_pair(std::span<const double> positives, std::span<const double> negatives,
                                 double detection_rate, const Rng& rng) {
  return by_pair(positives, negatives, rng, [&](std::span<const double> above, std::span<const double> below) {
    return false_positive_rate(above, below, detection_rate);
  });
}

Vector mean_direction(std::span<const Vector> positives, std::span<const Vector> negatives) {
  if (positives.empty() || negatives.empty()) fail(ErrorKind::numeric, "a direction between no activations");
  Vector out(positives.front().size(), 0.0F);
  add_mean(out, positives, 1);
  add_mean(out, negatives, -1);
  return out;
}

Vector random_direction(std::size_t width, Rng rng) {
  Vector out(width);
  for (auto& value : out) value = static_cast<float>(rng.normal());
  return out;
}

std::vector<double> project(std::span<const Vector> vectors, const Vector& direction) {
  std::vector<double> out;
  for (const auto& vector : vectors) {
    double sum = 0;
    for (std::size_t i = 0; i < direction.size(); ++i) sum += static_cast<double>(vector[i]) * direction[i];
    out.push_back(sum);
  }
  return out;
}

}  // namespace reveille::eval
