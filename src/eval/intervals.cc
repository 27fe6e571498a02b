#include "eval/intervals.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "eval/bootstrap.h"

namespace reveille::eval {
namespace {

void check_counts(std::int64_t hits, std::int64_t n) {
  if (hits < 0 || n < 0 || hits > n) fail(ErrorKind::internal, cat("a rate of ", hits, " of ", n, " is none"));
}

// P(X <= hits) for X binomial with n and p, 0 < p < 1.
double binomial_cdf(std::int64_t hits, std::int64_t n, double p) {
  double sum = 0, count = static_cast<double>(n);
  for (std::int64_t k = 0; k <= hits; ++k) {
    double x = static_cast<double>(k);
    double ways = std::lgamma(count + 1) - std::lgamma(x + 1) - std::lgamma(count - x + 1);
    sum += std::exp(ways + x * std::log(p) + (count - x) * std::log1p(-p));
  }
  return std::min(1.0, sum);
}

// The p in (0, 1) at which a function that falls from above 0 to below 0 crosses it.
template <class Function>
double bisect(Function&& falling) {
  double low = 0, high = 1;
  for (int i = 0; i < 100; ++i) {
    double middle = (low + high) / 2;
    (falling(middle) > 0 ? low : high) = middle;
  }
  return (low + high) / 2;
}

double share(const PromptCount& count) { return static_cast<double>(count.hits) / static_cast<double>(count.n); }

PromptCount total(std::span<const PromptCount> prompts) {
  PromptCount sum;
  for (const auto& prompt : prompts) {
    check_counts(prompt.hits, prompt.n);
    sum.hits += prompt.hits;
    sum.n += prompt.n;
  }
  return sum;
}

double mean(const std::vector<double>& values) {
  double sum = 0;
  for (double value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

}  // namespace

double upper_bound(std::int64_t hits, std::int64_t n, double confidence) {
  check_counts(hits, n);
  if (hits == n) return 1;
  return bisect([&](double p) { return binomial_cdf(hits, n, p) - (1 - confidence); });
}

Interval clopper_pearson(std::int64_t hits, std::int64_t n, double confidence) {
  double one_sided = 1 - (1 - confidence) / 2;
  // By symmetry: the lower bound of the hits is 1 minus the upper bound of the misses.
  return {1 - upper_bound(n - hits, n, one_sided), upper_bound(hits, n, one_sided)};
}

Interval newcombe(std::int64_t hits1, std::int64_t n1, std::int64_t hits2, std::int64_t n2, double confidence) {
  Interval one = wilson(hits1, n1, confidence), two = wilson(hits2, n2, confidence);
  if (n1 == 0 || n2 == 0) return {-1, 1};
  double p1 = share({hits1, n1}), p2 = share({hits2, n2}), difference = p1 - p2;
  return {difference - std::hypot(p1 - one.low, two.high - p2), difference + std::hypot(one.high - p1, p2 - two.low)};
}

double quantile(std::span<const double> sorted, double q) {
  if (sorted.empty()) fail(ErrorKind::internal, "a quantile of no values");
  double at = q * static_cast<double>(sorted.size() - 1);
  auto below = static_cast<std::size_t>(std::floor(at));
  std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (sorted[above] - sorted[below]) * (at - static_cast<double>(below));
}

Rate rate_by_prompt(std::span<const PromptCount> prompts, const Rng& rng, std::int64_t resamples, double confidence) {
  PromptCount all = total(prompts);
  if (all.n == 0) fail(ErrorKind::numeric, "a rate of no samples");
  Rate out{.value = share(all), .n = all.n};
  if (all.hits == 0 || all.hits == all.n) {
    auto count = std::count_if(prompts.begin(), prompts.end(), [](const PromptCount& prompt) { return prompt.n > 0; });
    out.interval = wilson(all.hits == 0 ? 0 : count, count, confidence);
    return out;
  }
  out.interval = bootstrap(prompts.size(), rng.child("rate"), resamples, confidence, [&](const auto& drawn) {
    PromptCount sum;
    for (std::size_t index : drawn) {
      sum.hits += prompts[index].hits;
      sum.n += prompts[index].n;
    }
    return sum.n > 0 ? share(sum) : out.value;
  });
  return out;
}

Difference paired_difference(std::span<const PromptCount> a, std::span<const PromptCount> b, const Rng& rng,
                             std::int64_t resamples, double confidence) {
  if (a.size() != b.size() || a.empty()) {
    fail(ErrorKind::numeric, cat("a paired difference of ", a.size(), " and ", b.size(), " prompts"));
  }
  std::vector<double> differences;
  for (std::size_t i = 0; i < a.size(); ++i) {
    check_counts(a[i].hits, a[i].n);
    check_counts(b[i].hits, b[i].n);
    if (a[i].n == 0 || b[i].n == 0) fail(ErrorKind::numeric, cat("prompt ", i + 1, " has samples on one side only"));
    differences.push_back(share(a[i]) - share(b[i]));
  }
  Difference out{.value = mean(differences), .prompts = static_cast<std::int64_t>(differences.size())};
  auto [least, most] = std::minmax_element(differences.begin(), differences.end());
  if (*least == *most) {
    // As many hits as the mean share of all prompts makes: one sample a prompt, as above.
    auto hits = [&](std::span<const PromptCount> side) {
      PromptCount sum = total(side);
      return std::llround(share(sum) * static_cast<double>(side.size()));
    };
    out.interval = newcombe(hits(a), out.prompts, hits(b), out.prompts, confidence);
    return out;
  }
  out.interval = bootstrap(differences.size(), rng.child("difference"), resamples, confidence, [&](const auto& drawn) {
    double sum = 0;
    for (std::size_t index : drawn) sum += differences[index];
    return sum / static_cast<double>(drawn.size());
  });
  return out;
}

}  // namespace reveille::eval
