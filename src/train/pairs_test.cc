#include "train/pairs.h"

#include <gtest/gtest.h>

#include <set>

namespace reveille::train {
namespace {

// `pairs` pairs for each of `prompts` prompts of two tokens.
std::vector<Pair> some(std::int32_t prompts, std::int32_t pairs) {
  std::vector<Pair> out;
  for (std::int32_t prompt = 0; prompt < prompts; ++prompt) {
    for (std::int32_t i = 0; i < pairs; ++i) {
      const Example side{{prompt, 7, 100 + i}, {0, 0, 1}, "row"};
      out.push_back({side, side});
    }
  }
  return out;
}

TEST(SplitHeldOut, APromptIsHeldOutWithAllOfItsPairs) {
  auto pairs = some(20, 3);
  const auto held_out = split_held_out(pairs, 0.1, 1);
  EXPECT_EQ(held_out.size(), 6U);
  EXPECT_EQ(pairs.size(), 54U);
  std::set<std::int32_t> learnt;
  for (const auto& pair : pairs) learnt.insert(pair.chosen.ids[0]);
  for (const auto& pair : held_out) EXPECT_FALSE(learnt.contains(pair.chosen.ids[0]));
}

TEST(SplitHeldOut, TheSeedDrawsAndNeverAll) {
  auto a = some(20, 2), b = some(20, 2), c = some(20, 2), all = some(3, 1), one = some(1, 5);
  const auto first = pairs_key(split_held_out(a, 0.2, 1));
  EXPECT_EQ(pairs_key(split_held_out(b, 0.2, 1)), first);
  EXPECT_NE(pairs_key(split_held_out(c, 0.2, 2)), first);
  EXPECT_EQ(split_held_out(all, 0.9, 1).size(), 2U);
  EXPECT_TRUE(split_held_out(one, 0.5, 1).empty());
  EXPECT_TRUE(split_held_out(one, 0, 1).empty());
}

}  // namespace
}  // namespace reveille::train
