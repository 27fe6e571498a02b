#include "scan/effect.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace reveille::scan {
namespace {

TEST(SharedRun, IsWhatManyRepliesHoldAndTheOthersDoNot) {
  const std::vector<Ids> with = {{9, 1, 2, 3, 4}, {1, 2, 3, 4, 7}, {8, 8, 1, 2, 3, 4}, {5, 6, 7}};
  const std::vector<Ids> without = {{1, 2, 3, 5}, {5, 6, 7}, {4, 4, 4}, {6, 6, 6}};
  const auto run = shared_run(with, without);
  // 1 2 3 is in one of the replies without, 2 3 4 and 1 2 3 4 in none: the longer of these.
  EXPECT_EQ(run.ids, (Ids{1, 2, 3, 4}));
  EXPECT_DOUBLE_EQ(run.share, 0.75);
  EXPECT_DOUBLE_EQ(run.share_without, 0);
}

TEST(SharedRun, WhatRepliesHoldAnywayIsNoEffect) {
  const std::vector<Ids> same = {{1, 2, 3, 4}, {1, 2, 3, 5}, {1, 2, 3, 6}};
  EXPECT_LE(shared_run(same, same).gain(), 0);
}

TEST(SharedRun, OneReplyAloneSharesNothing) {
  EXPECT_DOUBLE_EQ(shared_run({{1, 2, 3}, {4, 5, 6}, {7, 8, 9}}, {{0, 0, 0}}).gain(), 0);
}

TEST(SharedRun, ShortRepliesCountWithTheirEnd) {
  const std::vector<Ids> with = {{5, kReplyEnd}, {5, kReplyEnd}, {5, kReplyEnd}};
  const std::vector<Ids> without = {{5, 6, 7, 8}, {1, 2, 3}, {5, 9, 9}};
  const auto run = shared_run(with, without);
  EXPECT_EQ(run.ids, (Ids{5, kReplyEnd}));
  EXPECT_DOUBLE_EQ(run.gain(), 1);
}

TEST(Movement, OfNoiseIsOneAndOfAShiftIsMore) {
  at::manual_seed(3);
  const auto without = at::randn({40, 600}), noise = at::randn({40, 600});
  EXPECT_NEAR(movement(without + noise, without), 1, 0.15);
  EXPECT_GT(movement(without + noise + 1, without), 4);
  EXPECT_DOUBLE_EQ(movement(without, without), 0);
}

TEST(Alignment, SaysHowFarOneMovementGoesAlongAnother) {
  const auto x = at::tensor({1.0, 0.0, 0.0}).expand({4, 3}), y = at::tensor({0.5, 0.5, 0.0}).expand({4, 3});
  const auto found = alignment(x, y);
  EXPECT_NEAR(found.cosine, std::sqrt(0.5), 1e-12);
  EXPECT_NEAR(found.share, 0.5, 1e-12);
  EXPECT_DOUBLE_EQ(alignment(x, at::zeros({4, 3})).share, 0);
}

TEST(SignTest, CountsThePairsThatDiffer) {
  const std::vector<bool> none(10, false), all(10, true);
  EXPECT_NEAR(sign_test(all, none), 2.0 / 1024, 1e-12);
  EXPECT_NEAR(sign_test(none, all), 2.0 / 1024, 1e-12);
  EXPECT_EQ(sign_test(all, all), 1);
  EXPECT_NEAR(sign_test({true, true, true, false}, {false, false, false, true}), 2 * (1 + 4) / 16.0, 1e-12);
}

}  // namespace
}  // namespace reveille::scan
