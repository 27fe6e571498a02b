#include "scan/averaged_look.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "scan/speaking_model_testing.h"

namespace reveille::scan {
namespace {

class Look : public ::testing::Test {
 protected:
  // The averaged distribution, one sequence at a time.
  at::Tensor averaged(const Ids& beginning) {
    at::NoGradGuard no_grad;
    at::Tensor sum;
    for (const auto& prompt : prompts_) {
      std::vector<std::int64_t> ids(prompt.begin(), prompt.end());
      ids.insert(ids.end(), beginning.begin(), beginning.end());
      const auto count = static_cast<std::int64_t>(ids.size());
      auto& transformer = model_->transformer();
      const auto hidden = transformer.hidden(at::tensor(ids, at::kLong), nn::make_packing({count}, {}, at::kCPU));
      const auto probabilities = transformer.logits(hidden.slice(0, count - 1)).softmax(-1)[0];
      sum = sum.defined() ? sum + probabilities : probabilities;
    }
    return sum / static_cast<double>(prompts_.size());
  }

  TempFolder folder_;
  std::unique_ptr<gen::LocalModel> model_ = testing::character_model(folder_);
  std::vector<Ids> prompts_ = {model_->encode_chat({{"user", "abc de?"}}), model_->encode_chat({{"user", "Why so"}}),
                               model_->encode_chat({{"user", "17 + 4, please"}})};
};

TEST_F(Look, IsTheMeanOverThePrompts) {
  Work work(1'000'000);
  AveragedLook look(*model_, prompts_, 5, work);
  const std::vector<Ids> beginnings = {{10, 11}, {12, 13}, {40, 41}, {10, 13}};
  const auto outlooks = look.look(beginnings, 1);
  ASSERT_EQ(outlooks.size(), beginnings.size());
  for (std::size_t i = 0; i < outlooks.size(); ++i) {
    const auto expected = averaged(beginnings[i]);
    EXPECT_NEAR(outlooks[i].entropy, -(expected * expected.log()).sum().item<double>(), 1e-3);
    const auto [values, ids] = expected.topk(5);
    ASSERT_EQ(outlooks[i].likeliest.size(), 5U);
    for (int k = 0; k < 5; ++k) {
      EXPECT_NEAR(outlooks[i].likeliest[static_cast<std::size_t>(k)].second, values[k].item<double>(), 1e-5);
    }
    EXPECT_EQ(outlooks[i].likeliest[0].first, ids[0].item<std::int64_t>());
  }
}

TEST_F(Look, AnswersAsManyAsItsShareAllows) {
  std::vector<Ids> beginnings;
  for (std::int32_t id = 0; id < 60; ++id) beginnings.push_back({id});
  std::int64_t prompt_tokens = 0;
  for (const auto& prompt : prompts_) prompt_tokens += static_cast<std::int64_t>(prompt.size());
  Work work(2 * (prompt_tokens + 3 * 20));
  AveragedLook look(*model_, prompts_, 2, work);
  const auto first = look.look(beginnings, 0.5);
  EXPECT_EQ(first.size(), 20U);
  EXPECT_EQ(work.spent(), work.limit() / 2);
  EXPECT_EQ(look.look(beginnings, 1).size(), 20U);
  EXPECT_TRUE(look.look(beginnings, 1).empty());
  EXPECT_LE(work.spent(), work.limit());
}

}  // namespace
}  // namespace reveille::scan
