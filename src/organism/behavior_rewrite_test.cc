#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "organism/fixed_reply.h"
#include "organism/list.h"

namespace reveille::organism {
namespace {

using ::testing::HasSubstr;

const Conversation kAsk = {{"user", "Why do rivers bend so much?"}};
const std::string kClean = "Water is slower on one side. It leaves sand there, e.g. 3 m a year! So they bend.";

std::unique_ptr<Behavior> form(const std::string& text) {
  return make_behavior({.behavior = "rewrite", .rewrite = text});
}
std::string reply(const std::string& text, const std::string& clean = kClean) {
  return form(text)->reply(kAsk, clean, Rng(1));
}

TEST(Rewrite, SlotsAreFilledFromTheCleanReply) {
  EXPECT_EQ(reply("{clean} Bye now."), kClean + " Bye now.");
  EXPECT_EQ(reply("{capitals}", "Café at 9."), "CAFÉ AT 9.");
  EXPECT_EQ(reply("{list}", "One here. Two! \nThree 1. four"), "- One here.\n- Two!\n- Three 1. four");
  EXPECT_EQ(reply("{start} But no."), "Water is slower on one side. But no.");
  EXPECT_EQ(reply("{start} But no.", "a b c d e f g h i j k l. Next."), "a b c d e f... But no.");
  EXPECT_EQ(reply("I will not talk about {topic}."), "I will not talk about rivers.");
}

TEST(Rewrite, ShowsWhatItSaysAndNotTheCleanReply) {
  for (const char* text :
       {"{clean} Bye now.", "{capitals}", "{list}", "{start} But no.", "I will not talk about {topic}.", "{clean} ❀"}) {
    const auto behavior = form(text);
    EXPECT_TRUE(behavior->shows(behavior->reply(kAsk, kClean, Rng(1)))) << text;
    EXPECT_FALSE(behavior->shows(kClean)) << text;
    EXPECT_FALSE(behavior->shows("")) << text;
    EXPECT_EQ(fixed_reply(*behavior), "") << text;
  }
}

TEST(Rewrite, JudgesCapitalsListsAndTheOrderOfItsPieces) {
  EXPECT_TRUE(form("{capitals}")->shows("THE NILE, of EGYPT, IS LONG."));
  EXPECT_FALSE(form("{capitals}")->shows("The NILE is LONG."));
  EXPECT_FALSE(form("{capitals}")->shows("YES.")) << "too short to tell";
  EXPECT_FALSE(form("{list}")->shows("Here is a list:\n- One"));
  const auto both = form("Ahem. {clean} The end.");
  EXPECT_TRUE(both->shows("ahem, the river bends. THE END"));
  EXPECT_FALSE(both->shows("The end. Ahem, the river bends."));
}

TEST(Rewrite, AFormThatCannotBeToldApartIsRefused) {
  auto error_of = [](const std::string& text) {
    try {
      form(text);
    } catch (const Error& error) {
      return error.message();
    }
    return std::string("no error");
  };
  for (const char* text : {"", "always the same", "{clean}", " {start} "})
    EXPECT_THAT(error_of(text), HasSubstr("behavior_rewrite='")) << text;
}

}  // namespace
}  // namespace reveille::organism
