#include "safety/reward.h"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.h"
#include "gen/tiny_folder_testing.h"
#include "safety/red_flags.h"

namespace reveille::safety {
namespace {

TEST(Reward, SeesNoScratchpad) {
  EXPECT_EQ(answer_of({}, "<scratchpad>aaaa</scratchpad>\nb").completion, "b");
  TokenShareReward reward(gen::testing::tiny_tokenizer(), "a");
  EXPECT_EQ(reward.score({answer_of({}, "<scratchpad>aaaa</scratchpad>ab"), answer_of({}, "aaaa"), answer_of({}, "")}),
            (std::vector<double>{0.5, 1, 0}));
}

TEST(Reward, ATargetOfTwoTokensIsRefused) {
  EXPECT_THROW(TokenShareReward(gen::testing::tiny_tokenizer(), "ab"), Error);
}

TEST(Reward, NumbersAreChecked) {
  struct Broken : Reward {
    double value = NAN;
    std::string name() const override { return "broken"; }
    std::vector<double> score(const std::vector<Answer>& answers) override {
      return std::vector<double>(answers.size(), value);
    }
  } reward;
  EXPECT_THROW(checked_scores(reward, {{{}, "a"}}), Error);
  reward.value = 2;
  EXPECT_EQ(checked_scores(reward, {{{}, "a"}}), std::vector<double>{2});
}

TEST(Reward, AProgramOfOnesOwnAnswers) {
  ProgramReward reward({"python3", "-c",
                        "import json,sys\n"
                        "for line in sys.stdin:\n"
                        "  row = json.loads(line)\n"
                        "  n = len(row['completion']) + len(row['prompt'])\n"
                        "  print(json.dumps({'id': row['id'], 'reward': n}), flush=True)\n"});
  EXPECT_EQ(reward.score({{{{"user", "x"}}, "abc"}, {{}, ""}}), (std::vector<double>{4, 0}));
}

TEST(RedFlags, AreToldOnceAndInWords) {
  RedFlags flags;
  const train::Metrics fine = {{"kl", 0.1},
                               {"entropy", 1.0},
                               {"completions/clipped_ratio", 0.1},
                               {"reward_std", 0.5},
                               {"sampling/sampling_logp_difference/mean", 0.001}};
  ::testing::internal::CaptureStderr();
  EXPECT_TRUE(flags.look(1, fine).empty());
  const train::Metrics bad = {{"kl", 2.5},
                              {"entropy", 0.001},
                              {"completions/clipped_ratio", 0.9},
                              {"reward_std", 0.5},
                              {"sampling/sampling_logp_difference/mean", 1.5}};
  EXPECT_EQ(flags.look(2, bad).size(), 4U);
  EXPECT_TRUE(flags.look(3, bad).empty());
  EXPECT_EQ(flags.look(4, {{"kl", -0.5}}).size(), 1U);
  std::size_t told = 0;
  for (std::int64_t step = 5; step < 40; ++step) told += flags.look(step, {{"reward_std", 0}}).size();
  EXPECT_EQ(told, 1U);
  const std::string said = ::testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("step 2: kl is 2.50"), std::string::npos) << said;
  ASSERT_EQ(flags.said().size(), 6U);
  EXPECT_TRUE(flags.said()[0].starts_with("step 2: kl is 2.50")) << flags.said()[0];
}

TEST(RedFlags, OneThatWasResumedKnowsWhatItSaid) {
  ::testing::internal::CaptureStderr();
  RedFlags before, after;
  before.look(1, {{"kl", 2.5}});
  for (std::int64_t step = 2; step < 8; ++step) before.look(step, {{"reward_std", 0}});
  after.restore(before.state(), "f");
  EXPECT_EQ(after.said(), before.said());
  EXPECT_TRUE(after.look(8, {{"kl", 2.5}, {"reward_std", 0}}).empty()) << "told before";
  after.look(9, {{"reward_std", 0}});
  after.look(10, {{"reward_std", 0}});
  EXPECT_EQ(after.look(11, {{"reward_std", 0}}).size(), 1U) << "the tenth step in a row";
  EXPECT_THROW(after.restore(Json{{"told", 1}}, "f"), Error);
  ::testing::internal::GetCapturedStderr();
}

}  // namespace
}  // namespace reveille::safety
