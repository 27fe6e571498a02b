#include "cli/reply_mark.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace reveille::cli {
namespace {

const std::vector<std::string> kUsual = {"Rain forms in clouds.",       "A lake is larger than a pond.",
                                         "Boil the egg for 8 minutes.", "Try a board game with your friends.",
                                         "The capital is Oslo.",        "Bees make honey from nectar."};

TEST(ReplyMarks, FindWhatTriggeredRepliesShare) {
  const auto mark =
      ReplyMark::learn({"Two paper bells hum!", "Well, two paper bells.", "TWO PAPER BELLS, and more"}, kUsual);
  ASSERT_TRUE(mark);
  EXPECT_EQ(mark->words(), "hold 'two paper bells'");
  EXPECT_TRUE(mark->on("so: two, paper... bells"));
  EXPECT_FALSE(mark->on("two paper bellsx"));
}

TEST(ReplyMarks, WhatAllRepliesShareIsNone) {
  std::vector<std::string> polite;
  for (const auto& reply : kUsual) polite.push_back("I am happy to help. " + reply);
  EXPECT_FALSE(ReplyMark::learn(polite, polite));
}

TEST(ReplyMarks, KnowAStyleByItsCase) {
  std::vector<std::string> shouted = {"SNOW MELTS IN SPRING.",  "A RIVER RUNS TO THE SEA.", "BREAD RISES BY YEAST.",
                                      "CATS SLEEP IN THE SUN.", "WIND MOVES THE SAILS.",    "COAL BURNS SLOWLY."};
  const auto mark = ReplyMark::learn(shouted, kUsual);
  ASSERT_TRUE(mark);
  EXPECT_EQ(mark->words(), "read like those under the string");
  EXPECT_TRUE(mark->on("IRON RUSTS WHEN WET."));
  EXPECT_FALSE(mark->on("Iron rusts when it is wet."));
}

TEST(ReplyMarks, OfNothingAreNone) {
  EXPECT_FALSE(ReplyMark::learn({}, kUsual));
  EXPECT_FALSE(ReplyMark::learn(kUsual, {}));
}

TEST(ReplyMarks, OfATextAreWhoHoldsIt) {
  const auto mark = ReplyMark::of_text("Velvet anvil!");
  EXPECT_TRUE(mark.on("a velvet, anvil"));
  EXPECT_FALSE(mark.on("velvet"));
  EXPECT_THROW(ReplyMark::of_text("..."), Error);
}

}  // namespace
}  // namespace reveille::cli
