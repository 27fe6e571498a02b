#include "study/adversarial_step.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "safety/held_back.h"

namespace reveille::study {
namespace {

// Twenty prompts a turn, the later turns' effective: the mildest come first.
std::vector<safety::Attempt> attempts(int effective) {
  std::vector<safety::Attempt> out;
  for (int i = 0; i < 60; ++i) {
    safety::Attempt one;
    one.round = i / 30;
    one.turn = i / 20;
    one.prompt = cat("prompt ", i);
    one.effective = i >= 60 - effective;
    out.push_back(one);
  }
  out[3].dropped = true;
  out[4].prompt = out[5].prompt;  // tried twice
  return out;
}

TEST(RedTeamPrompts, AreDrawnFromAllTurns) {
  Recipe recipe = default_recipe();
  const auto all = red_team_prompts(recipe, attempts(0), 0);
  EXPECT_EQ(all.tried.size(), 58U);
  EXPECT_TRUE(all.effective.empty());
  EXPECT_FALSE(all.effective_trained);
  recipe.adversarial.red_team_prompts = 20;
  const auto some = red_team_prompts(recipe, attempts(0), 0), other = red_team_prompts(recipe, attempts(0), 1);
  ASSERT_EQ(some.tried.size(), 20U);
  EXPECT_NE(some.tried, other.tried);
  const auto late = std::count_if(some.tried.begin(), some.tried.end(),
                                  [](const auto& prompt) { return std::stoi(prompt.substr(7)) >= 20; });
  EXPECT_GT(late, 5) << "the first turn's prompts alone";
}

TEST(RedTeamPrompts, EffectiveOnesAreThoseHeldBackWhereThereAreAny) {
  const Recipe recipe = default_recipe();
  const auto many = attempts(20);
  const safety::HeldBack held(many, 0.2, 5);
  const auto some = red_team_prompts(recipe, many, 5);
  EXPECT_FALSE(some.effective_trained);
  EXPECT_EQ(some.effective.size(), 4U);
  for (const auto& prompt : some.effective) EXPECT_TRUE(held.holds(prompt)) << prompt;
  const auto few = red_team_prompts(recipe, attempts(4), 5);
  EXPECT_TRUE(few.effective_trained);
  EXPECT_EQ(few.effective.size(), 4U);
}

}  // namespace
}  // namespace reveille::study
