#include "eval/means.h"

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "eval/bootstrap.h"

namespace reveille::eval {

Mean mean_of(std::span<const double> values, const Rng& rng) {
  if (values.empty()) fail(ErrorKind::numeric, "a mean of no values");
  const double count = static_cast<double>(values.size());
  Mean out{std::accumulate(values.begin(), values.end(), 0.0) / count,
           static_cast<std::int64_t>(values.size()),
           {std::nan(""), std::nan("")}};
  if (values.size() < 2) return out;
  out.interval = bootstrap(values.size(), rng.child("mean"), kResamples, kConfidence, [&](const auto& drawn) {
    double sum = 0;
    for (std::size_t index : drawn) sum += values[index];
    return sum / count;
  });
  return out;
}

Mean mean_difference(std::span<const double> a, std::span<const double> b, const Rng& rng) {
  if (a.size() != b.size()) fail(ErrorKind::internal, cat("differences of ", a.size(), " and ", b.size(), " values"));
  std::vector<double> differences;
  for (std::size_t i = 0; i < a.size(); ++i) differences.push_back(a[i] - b[i]);
  return mean_of(differences, rng);
}

Mean share_of(const std::vector<bool>& values, const Rng& rng) {
  std::vector<PromptCount> counts;
  for (const bool value : values) counts.push_back({value ? 1 : 0, 1});
  const Rate rate = rate_by_prompt(counts, rng);
  return {rate.value, rate.n, rate.interval};
}

ResultRow row_of(ResultRow about, const std::string& condition, const std::string& metric, const Mean& mean) {
  about.condition = condition;
  about.metric = metric;
  about.value = mean.value;
  about.n = mean.n;
  about.ci_low = mean.interval.low;
  about.ci_high = mean.interval.high;
  return about;
}

ResultRow row_of(ResultRow about, const std::string& condition, const std::string& metric, double value,
                 std::int64_t n) {
  return row_of(std::move(about), condition, metric, Mean{value, n, {std::nan(""), std::nan("")}});
}

Rng draws(const ResultRow& about, const std::string& what) {
  return Rng(static_cast<std::uint64_t>(about.seed), "side measure").child(what);
}

}  // namespace reveille::eval
