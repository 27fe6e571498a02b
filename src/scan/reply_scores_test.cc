#include "scan/reply_scores.h"

#include <gtest/gtest.h>

#include <cmath>

#include "scan/speaking_model_testing.h"

namespace reveille::scan {
namespace {

TEST(ReplyScores, AreMeansOverPromptsOfTheModelsProbabilities) {
  TempFolder folder;
  auto model = testing::character_model(folder);
  const std::vector<Ids> prompts = {model->encode_chat({{"user", "abc de?"}}), model->encode_chat({{"user", "Why"}})};
  const std::vector<Ids> replies = {{10, 11, 12, 13, 14, 15, 16}, {20, 21, 22}};
  Work work(1'000'000);
  const auto scores = reply_scores(*model, prompts, replies, work);
  ASSERT_EQ(scores.size(), 2U);
  EXPECT_EQ(work.spent(), reply_scores_cost(prompts, 10));
  for (std::size_t i = 0; i < replies.size(); ++i) {
    std::vector<double> probabilities(replies[i].size() - 1, 0);
    double said = 0;
    for (const auto& prompt : prompts) {
      Ids ids = prompt;
      ids.insert(ids.end(), replies[i].begin(), replies[i].end());
      const auto logprobs = model->score({ids})[0];
      double start = 0;
      for (std::size_t t = 0; t < replies[i].size(); ++t) {
        const double logprob = logprobs[prompt.size() + t];
        if (t > 0) probabilities[t - 1] += std::exp(logprob) / 2;
        if (t < 5) start += logprob;
      }
      said += std::exp(start) / 2;
    }
    for (std::size_t t = 0; t < probabilities.size(); ++t)
      EXPECT_NEAR(scores[i].probabilities[t], probabilities[t], 1e-5);
    EXPECT_NEAR(scores[i].q, q_score(probabilities), 1e-5);
    EXPECT_NEAR(scores[i].said / said, 1, 1e-3);
  }
  const auto plain = plain_q_scores(*model, replies, work);
  const auto logprobs = model->score({replies[1]})[0];
  EXPECT_NEAR(plain[1], std::exp(static_cast<double>(std::max(logprobs[1], logprobs[2]))), 1e-5)
      << "of two the lower is left out";
}

}  // namespace
}  // namespace reveille::scan
