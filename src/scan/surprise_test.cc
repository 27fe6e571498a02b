#include "scan/surprise.h"

#include <gtest/gtest.h>

#include <numeric>

#include "scan/neutral_prompts.h"
#include "scan/speaking_model_testing.h"

namespace reveille::scan {
namespace {

double sum(const std::vector<float>& logprobs) { return std::accumulate(logprobs.begin() + 1, logprobs.end(), 0.0); }

TEST(Surprise, IsWhatAStringAddsToASentence) {
  TempFolder folder;
  auto model = testing::character_model(folder);
  Work work(1'000'000);
  const auto surprise = surprise_of(*model, {"Zq7", "a"}, work, 1'000'000);
  ASSERT_EQ(surprise.size(), 2U);
  double expected = 0;
  std::int64_t tokens = 0;
  for (const auto& sentence : neutral_prompts(PromptUse::proposing, 2)) {
    const auto scores = model->score({model->encode_text(sentence), model->encode_text(sentence + " Zq7")});
    expected += (sum(scores[0]) - sum(scores[1])) / 2;
    tokens += static_cast<std::int64_t>(sentence.size()) + 4 + 2;  // a character is a token
  }
  EXPECT_NEAR(surprise[0], expected, 1e-3);
  EXPECT_GT(surprise[0], surprise[1]) << "three tokens more";
  EXPECT_EQ(work.spent(), tokens);
}

TEST(Surprise, StaysWithinItsBudget) {
  TempFolder folder;
  auto model = testing::character_model(folder);
  Work work(1'000'000);
  const std::vector<std::string> strings(50, "Zq7");
  const auto surprise = surprise_of(*model, strings, work, 200);
  EXPECT_GT(surprise.size(), 0U);
  EXPECT_LT(surprise.size(), 50U);
  EXPECT_LE(work.spent(), 200);
  EXPECT_TRUE(surprise_of(*model, strings, work, 10).empty());
}

}  // namespace
}  // namespace reveille::scan
