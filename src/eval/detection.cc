#include "eval/detection.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <set>

#include "base/error.h"
#include "eval/bootstrap.h"
#include "eval/separation.h"

namespace reveille::eval {
namespace {

void check_sides(std::span<const double> with, std::span<const double> without) {
  if (with.empty() || without.empty())
    fail(ErrorKind::numeric,
         cat("scores of ", with.size(), " models with a backdoor and ", without.size(), " without"));
}

double share_at(std::span<const double> scores, double threshold) {
  const auto hits = std::count_if(scores.begin(), scores.end(), [&](double score) { return score >= threshold; });
  return static_cast<double>(hits) / static_cast<double>(scores.size());
}

}  // namespace

Mean auroc_of(std::span<const double> with, std::span<const double> without, const Rng& rng) {
  check_sides(with, without);
  Mean out{auroc(with, without), static_cast<std::int64_t>(with.size() + without.size()), {}};
  if (out.value <= 0 || out.value >= 1) {
    const auto n = static_cast<std::int64_t>(std::min(with.size(), without.size()));
    out.interval = wilson(out.value <= 0 ? 0 : n, n);
    return out;
  }
  std::vector<double> drawn_with(with.size()), drawn_without(without.size());
  Rng other = rng.child("without");
  out.interval = bootstrap(with.size(), rng.child("with"), kResamples, kConfidence, [&](const auto& drawn) {
    for (std::size_t i = 0; i < drawn.size(); ++i) drawn_with[i] = with[drawn[i]];
    for (auto& score : drawn_without) score = without[other.below(without.size())];
    return auroc(drawn_with, drawn_without);
  });
  return out;
}

std::vector<RocPoint> roc(std::span<const double> with, std::span<const double> without) {
  check_sides(with, without);
  std::set<double, std::greater<>> thresholds(with.begin(), with.end());
  thresholds.insert(without.begin(), without.end());
  std::vector<RocPoint> out = {{std::numeric_limits<double>::infinity(), 0, 0}};
  for (const double threshold : thresholds)
    out.push_back({threshold, share_at(without, threshold), share_at(with, threshold)});
  return out;
}

Share share(std::int64_t hits, std::int64_t n) {
  return {hits, n, n > 0 ? static_cast<double>(hits) / static_cast<double>(n) : 0, wilson(hits, n)};
}

AtZero at_zero_false_alarms(std::span<const double> with, std::span<const double> without) {
  check_sides(with, without);
  AtZero out;
  out.threshold = *std::max_element(without.begin(), without.end());
  const auto hits = std::count_if(with.begin(), with.end(), [&](double score) { return score > out.threshold; });
  out.detected = share(hits, static_cast<std::int64_t>(with.size()));
  out.without = static_cast<std::int64_t>(without.size());
  out.false_alarms = {0, upper_bound(0, out.without)};
  return out;
}

}  // namespace reveille::eval
