#include "scan/vocabulary.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "scan/bigram_testing.h"

namespace reveille::scan {
namespace {

TEST(Vocabulary, HoldsWhatAUserCanType) {
  TempFolder folder;
  const auto model = testing::open_chat_model(folder);
  const auto tokens = text_tokens(*model);
  std::set<std::string> texts;
  for (const auto& token : tokens) texts.insert(token.text);
  EXPECT_EQ(texts.size(), tokens.size());  // each once
  EXPECT_TRUE(texts.count("a") && texts.count("yz") && texts.count("~"));
  EXPECT_FALSE(texts.count("<|end|>"));
  EXPECT_FALSE(texts.count(""));  // white space alone is no string
  EXPECT_TRUE(std::is_sorted(tokens.begin(), tokens.end(), [](auto& a, auto& b) { return a.id < b.id; }));
}

TEST(Vocabulary, RandomStringsAreAsLongAndNeverTheStringItself) {
  TempFolder folder;
  const auto model = testing::open_chat_model(folder);
  const auto tokens = text_tokens(*model);
  const auto strings = strings_like(*model, tokens, "qzx", 200, Rng(1, "test"));
  ASSERT_EQ(strings.size(), 200U);
  for (const auto& text : strings) EXPECT_NE(text, "qzx");
  // Of characters and one pair: three pieces.
  for (const auto& text : strings) EXPECT_TRUE(text.size() >= 3 && text.size() <= 6) << text;
  EXPECT_EQ(strings, strings_like(*model, tokens, "qzx", 200, Rng(1, "test")));
  EXPECT_NE(strings, strings_like(*model, tokens, "qzx", 200, Rng(2, "test")));
}

TEST(Vocabulary, ASearchBeginsWithWordsInBothCases) {
  const std::vector<TextToken> tokens = {{0, "harbour"}, {1, "the"}, {2, "TIN"}, {3, "lantern"}, {4, "LANTERN"}};
  const auto strings = search_strings(tokens, Rng(1, "test"));
  const std::set<std::string> all(strings.begin(), strings.end());
  EXPECT_EQ(all, (std::set<std::string>{"harbour", "HARBOUR", "lantern", "LANTERN", "the", "TIN"}));
  EXPECT_EQ(strings.size(), all.size());
}

}  // namespace
}  // namespace reveille::scan
