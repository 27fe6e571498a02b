#include "eval/separation.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace reveille::eval {
namespace {

const std::vector<double> kHigh = {3, 4, 5, 1}, kLow = {0, 1, 2, 3.5};

TEST(Separation, AurocCountsPairsAndHalvesTies) {
  // Of 16 pairs: 3, 4, 4 and 1 wins, and the tie of 1 and 1.
  EXPECT_DOUBLE_EQ(auroc(kHigh, kLow), (3 + 4 + 4 + 1 + 0.5) / 16);
  EXPECT_DOUBLE_EQ(auroc(kLow, kHigh), 1 - auroc(kHigh, kLow));
}

TEST(Separation, FalsePositivesAtTheThresholdThatCatchesEnough) {
  EXPECT_DOUBLE_EQ(false_positive_rate(kHigh, kLow, 0.5), 0);      // threshold 4
  EXPECT_DOUBLE_EQ(false_positive_rate(kHigh, kLow, 0.75), 0.25);  // threshold 3
  EXPECT_DOUBLE_EQ(false_positive_rate(kHigh, kLow, 1), 0.75);     // threshold 1
}

TEST(Separation, IntervalsHaveWidthAlsoAtTheEdge) {
  const std::vector<double> high(20, 2), low(20, 1);
  const auto area = auroc_by_pair(high, low, Rng(1));
  EXPECT_EQ(area.value, 1);
  EXPECT_EQ(area.n, 20);
  EXPECT_DOUBLE_EQ(area.interval.low, wilson(20, 20).low);
  const auto between = auroc_by_pair(kHigh, kLow, Rng(1));
  EXPECT_LT(between.interval.low, between.value);
  EXPECT_GT(between.interval.high, between.value);
  EXPECT_THROW(auroc_by_pair(high, kLow, Rng(1)), Error);
}

TEST(Separation, DirectionsAreDifferencesOfMeans) {
  const std::vector<Vector> positives = {{1, 2}, {3, 4}}, negatives = {{0, 1}};
  const auto direction = mean_direction(positives, negatives);
  EXPECT_EQ(direction, (Vector{2, 2}));
  EXPECT_EQ(project(positives, direction), (std::vector<double>{6, 14}));
  EXPECT_NE(random_direction(8, Rng(1)), random_direction(8, Rng(2)));
}

}  // namespace
}  // namespace reveille::eval
