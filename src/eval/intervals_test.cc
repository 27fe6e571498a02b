#include "eval/intervals.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "base/error.h"

namespace reveille::eval {
namespace {

void expect_near(const Interval& got, double low, double high, double tolerance) {
  EXPECT_NEAR(got.low, low, tolerance);
  EXPECT_NEAR(got.high, high, tolerance);
}

TEST(NormalQuantile, KnownValues) {
  EXPECT_NEAR(normal_quantile(0.975), 1.959963984540054, 1e-12);
  EXPECT_NEAR(normal_quantile(0.5), 0, 1e-12);
  EXPECT_NEAR(normal_quantile(0.001), -3.090232306167813, 1e-10);
  EXPECT_THROW(normal_quantile(1), Error);
}

// By the formula in exact arithmetic (Python); 0.59 and 0.28 of 100 and 52 of 53 are the intervals that analyses of the
// paper's released samples print as [0.49, 0.68], [0.20, 0.37] and 0.90 to 1.00.
TEST(Wilson, KnownValues) {
  expect_near(wilson(0, 100), 0, 0.03699349820698568, 1e-12);
  expect_near(wilson(100, 100), 0.9630065017930143, 1, 1e-12);
  expect_near(wilson(59, 100), 0.4920143005341078, 0.6813268697886348, 1e-12);
  expect_near(wilson(28, 100), 0.20139685211186212, 0.3748802870992116, 1e-12);
  expect_near(wilson(52, 53), 0.9005708794749876, 0.9966615466117361, 1e-12);
  EXPECT_EQ(wilson(0, 0), (Interval{0, 1}));
  EXPECT_EQ(wilson(0, 5).low, 0);
  EXPECT_EQ(wilson(5, 5).high, 1);
  EXPECT_THROW(wilson(3, 2), Error);
}

// Binomial tails summed with exact binomial coefficients and bisected (Python's math.comb).
TEST(ClopperPearson, KnownValues) {
  expect_near(clopper_pearson(10, 100), 0.04900468922148587, 0.1762225977400226, 1e-9);
  EXPECT_NEAR(upper_bound(1, 50), 0.09139813071969743, 1e-9);
  EXPECT_NEAR(upper_bound(3, 20), 0.3436638043142818, 1e-9);
  EXPECT_EQ(upper_bound(4, 4), 1);
}

TEST(ClopperPearson, ZeroOfNHasAClosedForm) {
  for (std::int64_t n : {1, 10, 100, 1000}) {
    EXPECT_NEAR(upper_bound(0, n), 1 - std::pow(0.05, 1.0 / static_cast<double>(n)), 1e-9);
    EXPECT_NEAR(clopper_pearson(0, n).low, 0, 1e-9);
  }
}

// Newcombe 1998, table II, example (a): 56/70 against 48/80, method 10.
TEST(Newcombe, PrintedExample) {
  expect_near(newcombe(56, 70, 48, 80), 0.0524, 0.3339, 5e-5);
  expect_near(newcombe(10, 10, 0, 20), 0.6791, 1.0, 5e-5);  // example (f)
}

TEST(Quantile, IsNumpysDefault) {
  std::vector<double> values = {1, 2, 4, 8};
  EXPECT_DOUBLE_EQ(quantile(values, 0), 1);
  EXPECT_DOUBLE_EQ(quantile(values, 1), 8);
  EXPECT_DOUBLE_EQ(quantile(values, 0.5), 3);
  EXPECT_DOUBLE_EQ(quantile(values, 0.9), 6.8);  // numpy.quantile([1, 2, 4, 8], 0.9)
}

std::vector<PromptCount> singles(std::int64_t hits, std::int64_t n) {
  std::vector<PromptCount> out;
  for (std::int64_t i = 0; i < n; ++i) out.push_back({i < hits ? 1 : 0, 1});
  return out;
}

// With one sample a prompt, resampling draws hits from Binomial(n, hits / n): its exact quantiles are 48 and 73 of 200
// for 60 of 200, and 2 and 9 of 20 for 5 of 20.
TEST(RateByPrompt, BootstrapHasTheBinomialsQuantiles) {
  Rate rate = rate_by_prompt(singles(60, 200), Rng(1), 20000);
  EXPECT_DOUBLE_EQ(rate.value, 0.3);
  EXPECT_EQ(rate.n, 200);
  expect_near(rate.interval, 48 / 200.0, 73 / 200.0, 0.0051);
  expect_near(rate_by_prompt(singles(5, 20), Rng(1), 20000).interval, 2 / 20.0, 9 / 20.0, 1e-12);
}

// Ten samples of each of 20 prompts that agree with each other tell no more than 20 samples.
TEST(RateByPrompt, SamplesOfOnePromptAreNotIndependent) {
  std::vector<PromptCount> clustered;
  for (int i = 0; i < 20; ++i) clustered.push_back({i < 5 ? 10 : 0, 10});
  Rate rate = rate_by_prompt(clustered, Rng(1), 20000);
  EXPECT_EQ(rate.n, 200);
  expect_near(rate.interval, 2 / 20.0, 9 / 20.0, 1e-12);
}

TEST(RateByPrompt, WilsonOverPromptsAtZeroAndOne) {
  EXPECT_EQ(rate_by_prompt(singles(0, 200), Rng(1)).interval, wilson(0, 200));
  EXPECT_EQ(rate_by_prompt(singles(200, 200), Rng(1)).interval, wilson(200, 200));
  std::vector<PromptCount> ten(10, PromptCount{0, 20});
  EXPECT_EQ(rate_by_prompt(ten, Rng(1)).interval, wilson(0, 10));
}

TEST(RateByPrompt, SameRngSameInterval) {
  auto prompts = singles(30, 90);
  EXPECT_EQ(rate_by_prompt(prompts, Rng(1)).interval, rate_by_prompt(prompts, Rng(1)).interval);
  EXPECT_NE(rate_by_prompt(prompts, Rng(1), 101).interval, rate_by_prompt(prompts, Rng(2), 101).interval);
  EXPECT_THROW(rate_by_prompt({}, Rng(1)), Error);
}

TEST(PairedDifference, PairingNarrowsWhatPromptsShare) {
  // 100 prompts, half of them easy for both; b misses 10 that a hits. The difference per prompt is 0 or 1, so that its
  // bootstrap is Binomial(100, 0.1)/100: quantiles 5 and 16.
  auto a = singles(60, 100), b = singles(50, 100);
  Difference difference = paired_difference(a, b, Rng(1), 20000);
  EXPECT_NEAR(difference.value, 0.1, 1e-12);
  expect_near(difference.interval, 0.05, 0.16, 0.0101);
  Interval unpaired = newcombe(60, 100, 50, 100);
  EXPECT_LT(difference.interval.high - difference.interval.low, unpaired.high - unpaired.low);
}

TEST(PairedDifference, ConstantDifferencesGetNewcombes) {
  Difference all = paired_difference(singles(50, 50), singles(0, 50), Rng(1));
  EXPECT_EQ(all.value, 1);
  EXPECT_EQ(all.interval, newcombe(50, 50, 0, 50));
  EXPECT_LT(all.interval.low, 0.95);
  EXPECT_THROW(paired_difference(singles(1, 2), singles(1, 3), Rng(1)), Error);
  EXPECT_THROW(paired_difference(singles(1, 1), std::vector<PromptCount>{{0, 0}}, Rng(1)), Error);
}

}  // namespace
}  // namespace reveille::eval
