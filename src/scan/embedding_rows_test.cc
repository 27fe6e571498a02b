#include "scan/embedding_rows.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <numeric>

namespace reveille::scan {
namespace {

std::vector<std::int32_t> all_rows(std::int32_t count) {
  std::vector<std::int32_t> out(static_cast<std::size_t>(count));
  std::iota(out.begin(), out.end(), 0);
  return out;
}

TEST(MovedRows, TheOneThatMovedInADirectionOfItsOwn) {
  at::manual_seed(1);
  // All rows drift the same long way; row 70 moves less far than that, but by itself.
  const at::Tensor drift = at::randn({32});
  at::Tensor change = drift / drift.norm() + 0.01 * at::randn({400, 32});
  change[70] += 0.5 * at::randn({32}) / std::sqrt(32.0);
  const RowOutliers found = moved_rows(change, {}, all_rows(400));
  EXPECT_EQ(found.moved, 400);
  EXPECT_GT(found.common, 0.9);
  ASSERT_EQ(found.rows.size(), 1U);
  EXPECT_EQ(found.rows[0].token, 70);
  EXPECT_GT(found.rows[0].deviations, 10);
  EXPECT_LT(found.rows[0].along, 0.99);
}

TEST(MovedRows, ManyThatMovedAlikeAreNone) {
  at::manual_seed(2);
  EXPECT_TRUE(moved_rows(at::randn({400, 32}), {}, all_rows(400)).rows.empty());
  EXPECT_TRUE(moved_rows(at::zeros({400, 32}), {}, all_rows(400)).rows.empty());
  EXPECT_TRUE(moved_rows(at::zeros({0, 32}), {}, {}).rows.empty());
}

TEST(MovedRows, FewThatMovedAtAllAllStandOut) {
  at::Tensor change = at::zeros({400, 8});
  change[3] = 1;
  change[9] = 2;
  const RowOutliers found = moved_rows(change, {}, all_rows(400));
  ASSERT_EQ(found.rows.size(), 2U);
  EXPECT_EQ(found.rows[0].token, 9);
  EXPECT_EQ(found.rows[1].token, 3);
  EXPECT_GE(found.rows[1].deviations, 6);
  // Rows that are not asked about have no say.
  EXPECT_EQ(moved_rows(change, {}, {1, 2, 3, 4, 5}).rows.size(), 1U);
}

TEST(MovedRows, RoundingIsNotCounted) {
  at::manual_seed(3);
  const at::Tensor deviation = at::full({400, 32}, 0.01);
  at::Tensor change = deviation * at::randn({400, 32});
  change[5] *= 1.2;
  const RowOutliers found = moved_rows(change, deviation.square() * 2, all_rows(400));
  EXPECT_TRUE(found.rows.empty());
}

TEST(LongRows, AreThoseLongerThanOthers) {
  at::manual_seed(4);
  at::Tensor rows = at::randn({300, 64});
  rows[12] *= 4;
  rows[13] *= 0.1;
  const RowOutliers found = long_rows(rows.to(at::kBFloat16), all_rows(300));
  ASSERT_EQ(found.rows.size(), 1U);
  EXPECT_EQ(found.rows[0].token, 12);
}

}  // namespace
}  // namespace reveille::scan
