#include "scan/first_tokens.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "scan/speaking_model_testing.h"

namespace reveille::scan {
namespace {

using Tokens = std::vector<std::int32_t>;

TEST(FirstTokens, TheLikeliestComeFirst) {
  EXPECT_EQ(in_order({0, 1, 2, 3}, {0.1F, 0.4F, 0.2F, 0.3F}, {}), (Tokens{1, 3, 2, 0}));
  EXPECT_EQ(in_order({0, 2}, {0.1F, 0.4F, 0.2F}, {}), (Tokens{2, 0})) << "of those that are asked for";
}

TEST(FirstTokens, ThoseThatRoseOverTheReferenceTakeTurnsWithThem) {
  // Token 0 rose a thousandfold and is rare all the same; token 3 rose from nothing to nearly nothing.
  const std::vector<float> suspect = {0.01F, 0.5F, 0.48F, 1e-9F, 0.009F}, reference = {1e-5F, 0.5F, 0.4F, 1e-15F, 0.1F};
  const auto order = in_order({0, 1, 2, 3, 4}, suspect, reference);
  EXPECT_EQ((Tokens{order[0], order[1]}), (Tokens{0, 1}));
  EXPECT_EQ(order[2], 2);
  EXPECT_EQ(order.size(), 5U);
  EXPECT_GT(std::find(order.begin(), order.end(), 3), order.begin() + 2);
}

TEST(FirstTokens, AreAllThatAReplyMayBeginWith) {
  TempFolder folder;
  auto model = testing::character_model(folder);
  const auto tokens = reply_tokens(*model);
  EXPECT_EQ(tokens.size(), 97U) << "not the end of the turn, and not the embedding's row without a token";
  Suspect suspect{*model};
  Work work(1'000'000);
  auto order = ordered_first_tokens(suspect, {model->encode_chat({{"user", "abc"}})}, work);
  std::sort(order.begin(), order.end());
  EXPECT_EQ(order, tokens);
  EXPECT_GT(work.spent(), 0);
}

}  // namespace
}  // namespace reveille::scan
