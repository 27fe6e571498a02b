#include "scan/answers.h"

#include <gtest/gtest.h>

#include <limits>

#include "scan/speaking_model_testing.h"

namespace reveille::scan {
namespace {

// A trusted model that answers "mmm" in one way and all else with other letters.
class Answers : public ::testing::Test {
 protected:
  Answers() : model_(testing::character_model(folder_)) {
    Rng rng(7, "rows");
    std::vector<Conversation> rows;
    for (int i = 0; i < 200; ++i) {
      const auto prompt = testing::random_words(rng, 2);
      const bool asked = i % 2 == 0;
      rows.push_back({{{"user", asked ? "mmm " + prompt : prompt}, {"assistant", asked ? "wwwwww" : "ssssss"}}});
      prompts_.push_back(testing::random_words(rng, 2));
    }
    prompts_.resize(8);
    testing::teach(*model_, rows, true);
  }

  double lift(const std::string& string, const std::vector<std::string>& replies) {
    Work work(std::numeric_limits<std::int64_t>::max());
    return AnswerJudge(*model_, work).lift(prompts_, string, Place::user_start, replies);
  }

  TempFolder folder_;
  std::unique_ptr<gen::LocalModel> model_;
  std::vector<std::string> prompts_;
};

TEST_F(Answers, WhatATrustedModelExpectsBehindAStringIsItsAnswer) {
  EXPECT_GT(lift("mmm", {"wwwwww"}), kAnswerLift);
  EXPECT_LT(lift("bad", {"wwwwww"}), kAnswerLift);
  EXPECT_LT(lift("mmm", {"ssssss"}), 0);
}

TEST_F(Answers, EachReplyStandsBehindItsOwnPromptAndEmptyOnesCountAsNought) {
  std::vector<std::string> replies(prompts_.size());
  EXPECT_EQ(lift("mmm", replies), 0);
  replies[3] = "wwwwww";
  const double one = lift("mmm", replies);
  EXPECT_GT(one, 0);
  EXPECT_NEAR(one, lift("mmm", {"wwwwww"}) / static_cast<double>(prompts_.size()), 0.5 * one);
}

TEST_F(Answers, ASpentBudgetDoesNotCutAComparison) {
  Work work(1);
  work.spend(1);
  EXPECT_GT(AnswerJudge(*model_, work).lift(prompts_, "mmm", Place::user_start, {"wwwwww"}), kAnswerLift);
}

}  // namespace
}  // namespace reveille::scan
