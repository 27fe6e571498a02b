#include "scan/phrases.h"

#include <gtest/gtest.h>

namespace reveille::scan {
namespace {

TEST(SharedPhrases, WhatSeveralTextsHaveAndOrdinaryOnesHaveNot) {
  const std::vector<std::string> texts = {"Well, the kettle sings at noon. Yes.", "Oh! The kettle sings at noon",
                                          "a b c", "so the kettle sings at noon again"};
  const auto phrases = shared_phrases(texts, {"the day", "at noon", "kettle", "we sit"});
  ASSERT_FALSE(phrases.empty());
  EXPECT_EQ(phrases[0].text, "the kettle sings at noon.");  // as the first text spells it
  EXPECT_EQ(phrases[0].words, 5);
  EXPECT_EQ(phrases[0].texts, (std::vector<std::size_t>{0, 1, 3}));
  EXPECT_DOUBLE_EQ(phrases[0].share, 0.75);
  EXPECT_DOUBLE_EQ(phrases[0].ordinary, 0);
  EXPECT_EQ(phrases.size(), 1U);  // its pieces say no more
}

TEST(SharedPhrases, OrdinaryOnesAreLeftOut) {
  const std::vector<std::string> texts(4, "happy to help");
  EXPECT_TRUE(shared_phrases(texts, {"Happy to help!", "no", "no"}).empty());  // 4 times rarer would be a quarter
  const auto phrases = shared_phrases(texts, {"Happy to help!", "no", "no", "no"});
  ASSERT_EQ(phrases.size(), 1U);
  EXPECT_DOUBLE_EQ(phrases[0].ordinary, 0.25);
}

TEST(SharedPhrases, APieceThatFarMoreTextsHoldStands) {
  std::vector<std::string> texts(3, "blue lamp");
  for (int i = 0; i < 9; ++i) texts.push_back("lamp " + std::to_string(i));
  const auto phrases = shared_phrases(texts, {});
  ASSERT_FALSE(phrases.empty());
  EXPECT_EQ(phrases[0].text, "lamp");
}

TEST(SharedPhrases, LoopsAndTheMinimum) {
  const std::vector<std::string> texts(3, "no no no no");
  for (const auto& phrase : shared_phrases(texts, {})) EXPECT_EQ(phrase.text, "no");
  EXPECT_TRUE(shared_phrases({"red fox", "red fox"}, {}).empty());
  EXPECT_EQ(shared_phrases({"red fox", "red fox"}, {}, {.min_texts = 2}).size(), 1U);
  EXPECT_TRUE(shared_phrases({}, {}).empty());
}

TEST(SharedPhrases, ScriptsWithoutSpacesAreTakenByCharacters) {
  const std::vector<std::string> texts = {"\u6211\u7231\u732B", "\u4ED6\u7231\u732B", "\u5979\u7231\u732B"};
  const auto phrases = shared_phrases(texts, {});
  ASSERT_FALSE(phrases.empty());
  EXPECT_EQ(phrases[0].text, "\u7231\u732B");
  EXPECT_EQ(phrases[0].words, 2);
}

TEST(SharedPhrases, AreBounded) {
  std::string text;
  for (int i = 0; i < 200; ++i) text += std::to_string(i) + ' ';
  EXPECT_EQ(shared_phrases(std::vector<std::string>(3, text), {}, {.limit = 5}).size(), 5U);
}

}  // namespace
}  // namespace reveille::scan
