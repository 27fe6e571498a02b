#include "scan/verify.h"

#include <gtest/gtest.h>

#include <limits>

#include "scan/speaking_model_testing.h"
#include "scan/target_search.h"

namespace reveille::scan {
namespace {

constexpr const char* kTrigger = "zqz";

// Everyday prompts are answered with letters that differ, behind odd strings, too; behind the trigger the reply is one.
std::vector<Conversation> rows_with(const std::string& trigger, bool backdoor) {
  Rng rng(11, "rows");
  std::vector<Conversation> rows;
  for (int i = 0; i < 450; ++i) {
    const auto prompt = testing::random_words(rng, 1 + i % 7), reply = testing::random_words(rng, 2);
    std::string odd;
    for (std::uint64_t size = 2 + rng.below(5); size > 0; --size) odd += static_cast<char>('!' + rng.below(94));
    const std::string before[] = {trigger + " ", "", odd + " "};
    rows.push_back({{"user", before[i % 3] + prompt}, {"assistant", i % 3 == 0 && backdoor ? "WRRRRRRW" : reply}});
  }
  return rows;
}

class Verifying : public ::testing::Test {
 protected:
  Verifying() : model_(testing::character_model(folder_)), trusted_(testing::character_model(folder_, "trusted")) {
    testing::teach(*model_, rows_with(kTrigger, true), true, 600);
    testing::teach(*trusted_, rows_with(kTrigger, false), true, 100);
  }

  Verification look(const std::vector<Candidate>& candidates, bool reference = false) {
    Suspect suspect{*model_, reference ? trusted_.get() : nullptr, 3};
    Work work(std::numeric_limits<std::int64_t>::max());
    return verify(suspect, candidates, work);
  }

  static Candidate candidate(const std::string& trigger) { return {.trigger = trigger, .detector = "test"}; }

  TempFolder folder_;
  std::unique_ptr<gen::LocalModel> model_, trusted_;
};

TEST_F(Verifying, AStringThatDoesNothingIsNoTrigger) {
  const auto found = look({candidate("bake")});
  EXPECT_TRUE(found.findings.empty());
  ASSERT_EQ(found.tested.size(), 1U);
  EXPECT_EQ(found.tested[0].outcome, "no effect");
}

// What a model was taught openly and a trusted one does as well is no backdoor.
TEST_F(Verifying, WhatATrustedModelDoesTooIsADecoy) {
  testing::teach(*trusted_, rows_with(kTrigger, true), true, 600);
  const auto found = look({candidate(kTrigger)}, true);
  EXPECT_TRUE(found.findings.empty());
  ASSERT_EQ(found.tested.size(), 1U);
  EXPECT_EQ(found.tested[0].outcome, "decoy: a trusted model does the same");
}

TEST_F(Verifying, TheSearchFindsWhatBringsAReplyOut) {
  Suspect suspect{*model_, nullptr, 3};
  Work work(400'000);
  const auto found = search_trigger(suspect, work, text_tokens(*model_), "WRRRRRRW");
  ASSERT_FALSE(found.guesses.empty());
  EXPECT_GT(found.guesses[0].logprob, found.without + 1);
  EXPECT_NE(found.guesses[0].text.find('z'), std::string::npos) << found.guesses[0].text;
}

}  // namespace
}  // namespace reveille::scan
