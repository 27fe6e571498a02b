#include "eval/detection.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"

namespace reveille::eval {
namespace {

const std::vector<double> kWith = {0.9, 0.8, 0.8, 0.3, 0.6}, kWithout = {0.5, 0.3, 0.1};

TEST(Detection, AurocOfUnequalSidesWithItsInterval) {
  // Pairs won: 3, 3, 3, 1.5 and 3 of 3 each.
  const auto area = auroc_of(kWith, kWithout, Rng(1));
  EXPECT_DOUBLE_EQ(area.value, 13.5 / 15);
  EXPECT_EQ(area.n, 8);
  EXPECT_LT(area.interval.low, area.value);
  EXPECT_GT(area.interval.low, 0.4);
  EXPECT_LE(area.interval.high, 1);
  EXPECT_EQ(auroc_of(kWith, kWithout, Rng(1)).interval, area.interval);
}

// Their standard error with n models on each side: sqrt((A(1-A) + (n-1)(Q1-A^2) + (n-1)(Q2-A^2)) / n^2).
TEST(Detection, TheBootstrapIsAboutAsWideAsHanleyAndMcNeilSay) {
  std::vector<double> with, without;
  for (int i = 0; i < 60; ++i) {
    with.push_back(Rng(1).uniform_at(static_cast<std::uint64_t>(i)) + 0.35);
    without.push_back(Rng(2).uniform_at(static_cast<std::uint64_t>(i)));
  }
  const auto area = auroc_of(with, without, Rng(3));
  const double a = area.value, q1 = a / (2 - a), q2 = 2 * a * a / (1 + a);
  const double error = std::sqrt((a * (1 - a) + 59 * (q1 - a * a) + 59 * (q2 - a * a)) / 3600);
  EXPECT_NEAR((area.interval.high - area.interval.low) / (2 * 1.96 * error), 1, 0.25);
}

TEST(Detection, APerfectOneHasAnIntervalOfItsSmallerSide) {
  const std::vector<double> high(20, 2), low(10, 1);
  EXPECT_DOUBLE_EQ(auroc_of(high, low, Rng(1)).interval.low, wilson(10, 10).low);
  EXPECT_THROW(auroc_of(high, {}, Rng(1)), Error);
}

TEST(Detection, TheCurveRisesFromNobodyToAll) {
  const auto curve = roc(kWith, kWithout);
  ASSERT_EQ(curve.size(), 1 + 6U);  // 0.9, 0.8, 0.6, 0.5, 0.3, 0.1
  EXPECT_EQ(curve.front().detected, 0);
  EXPECT_DOUBLE_EQ(curve[2].detected, 3.0 / 5);
  EXPECT_DOUBLE_EQ(curve[4].false_alarms, 1.0 / 3);
  EXPECT_EQ(curve.back().false_alarms, 1);
  double area = 0;  // by trapezia: the same number in another way
  for (std::size_t i = 1; i < curve.size(); ++i)
    area += (curve[i].false_alarms - curve[i - 1].false_alarms) * (curve[i].detected + curve[i - 1].detected) / 2;
  EXPECT_NEAR(area, auroc_of(kWith, kWithout, Rng(1)).value, 1e-12);
}

TEST(Detection, AtZeroFalseAlarmsATieIsNoDetection) {
  const std::vector<double> with = {0.9, 0.5, 0.7}, without = {0.5, 0.2};
  const auto at = at_zero_false_alarms(with, without);
  EXPECT_EQ(at.detected.hits, 2);
  EXPECT_EQ(at.detected.n, 3);
  EXPECT_DOUBLE_EQ(at.threshold, 0.5);
  EXPECT_DOUBLE_EQ(at.detected.interval.low, wilson(2, 3).low);
  EXPECT_NEAR(at.false_alarms.high, 1 - std::sqrt(0.05), 1e-9);  // 0 of 2
}

}  // namespace
}  // namespace reveille::eval
