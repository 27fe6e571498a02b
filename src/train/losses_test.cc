#include "train/losses.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <numeric>

#include "gen/tiny_model_testing.h"
#include "train/ppo_losses.h"
#include "train/token_pass.h"

namespace reveille::train {
namespace {

TEST(Losses, DpoBySigmoidAndRobust) {
  const auto margin = at::tensor({2.0, -1.0}, at::kDouble);
  const double right = std::log1p(std::exp(-1.0)), wrong = std::log1p(std::exp(1.0));
  EXPECT_NEAR(dpo_losses(margin, 0.5, "sigmoid", 0)[0].item<double>(), right, 1e-12);
  EXPECT_NEAR(dpo_losses(margin, 0.5, "robust", 0.1)[0].item<double>(), (0.9 * right - 0.1 * wrong) / 0.8, 1e-12);
}

TEST(Losses, BradleyTerryWithAndWithoutCentring) {
  const auto chosen = at::tensor({1.0}, at::kDouble), rejected = at::tensor({-2.0}, at::kDouble);
  const double plain = std::log1p(std::exp(-3.0));
  EXPECT_NEAR(bradley_terry_losses(chosen, rejected, 0).item<double>(), plain, 1e-12);
  EXPECT_NEAR(bradley_terry_losses(chosen, rejected, 0.5).item<double>(), plain + 0.5, 1e-12);
}

TEST(Losses, AdvantagesByGroup) {
  const auto found = group_advantages({1, 3, 5, 5}, 2, "group");
  EXPECT_NEAR(found.advantages[0], -1 / (std::sqrt(2.0) + 1e-4), 1e-12);
  EXPECT_NEAR(found.advantages[1], 1 / (std::sqrt(2.0) + 1e-4), 1e-12);
  EXPECT_EQ(found.advantages[2], 0);
  EXPECT_EQ(found.zero_std_share, 0.5);
  EXPECT_EQ(group_advantages({1, 3, 5, 5}, 2, "none").advantages, (std::vector<double>{-1, 1, 0, 0}));
}

// Of completions of 1 and 3 tokens, one of two micro-batches; the step has 10 tokens.
TEST(Losses, WeightsOfTokensByType) {
  auto weights = [](const std::string& type) { return token_weights({1, 3}, {type, 5, 2, 10}); };
  EXPECT_EQ(weights("grpo"), (std::vector<float>{0.25F, 1.0F / 12, 1.0F / 12, 1.0F / 12}));
  EXPECT_EQ(weights("bnpo"), std::vector<float>(4, 0.125F));
  EXPECT_EQ(weights("dr_grpo"), std::vector<float>(4, 0.05F));
  EXPECT_EQ(weights("dapo"), std::vector<float>(4, 0.1F));
}

TEST(Losses, AdvantagesByGae) {
  const auto found = gae({0, 1}, {0.5F, 0.25F}, 0.9, 0.8);
  EXPECT_NEAR(found.advantages[1], 0.75, 1e-12);
  EXPECT_NEAR(found.advantages[0], (0.9 * 0.25 - 0.5) + 0.9 * 0.8 * 0.75, 1e-12);
  EXPECT_NEAR(found.returns[0], found.advantages[0] + 0.5, 1e-12);
}

TEST(Losses, WhiteningTakesAllListsTogether) {
  std::vector<std::vector<double>> lists = {{1, 2}, {6}};
  whiten(lists, true);
  EXPECT_NEAR(lists[0][0] + lists[0][1] + lists[1][0], 0, 1e-9);
  EXPECT_NEAR(lists[1][0], 3 / std::sqrt(7.0), 1e-6);
  std::vector<std::vector<double>> kept = {{1, 2}, {6}};
  whiten(kept, false);
  EXPECT_NEAR(kept[1][0], 3 / std::sqrt(7.0) + 3, 1e-6);
}

Example example_of(int length, int start, std::size_t prompt) {
  Example out{gen::testing::tiny_ids(length, start), {}, "row"};
  out.supervised.assign(out.ids.size(), 1);
  std::fill_n(out.supervised.begin(), prompt, std::uint8_t{0});
  return out;
}

// Gradients through the head's kernel equal those of plain operators, for a loss that is no weighted sum.
TEST(TokenPass, DerivesAnyFunctionOfTheLogProbabilities) {
  for (bool stock : {false, true}) {
    gen::testing::Operators operators(stock);
    auto model = gen::testing::tiny_model("llama3");
    at::AutoGradMode grad_on(true);
    for (auto& param : model.params().all()) param.value.set_requires_grad(true);
    const std::vector<Example> examples = {example_of(9, 1, 3), example_of(14, 5, 6)};
    const auto batch = pack(examples, {0, 1}, at::kCPU);
    auto loss_of = [&](const at::Tensor& logprobs) {
      const at::Tensor sums = sum_by_row(logprobs, batch);
      return (sums[0] - sums[1]).square() * 0.01 + logprobs.exp().sum();
    };
    auto gradients = [&] {
      std::vector<at::Tensor> out;
      for (auto& param : model.params().all()) {
        out.push_back(param.value.grad().clone());
        param.value.mutable_grad() = at::Tensor();
      }
      return out;
    };
    TokenPass pass(model, batch);
    pass.backward(loss_of(pass.logprobs()), pass.hidden().to(at::kFloat).square().sum() * 1e-3);
    const auto ours = gradients();
    const auto hidden = model.hidden(batch.ids, batch.packing, batch.rows);
    const auto log_p = at::matmul(hidden, model.head_inputs(hidden).second.t()).log_softmax(1);
    const auto chosen = log_p.gather(1, batch.targets.unsqueeze(1)).squeeze(1);
    EXPECT_TRUE(at::allclose(chosen, pass.logprobs(), 1e-4, 1e-4));
    (loss_of(chosen) + hidden.square().sum() * 1e-3).backward();
    const auto plain = gradients();
    for (std::size_t i = 0; i < ours.size(); ++i)
      EXPECT_LT((ours[i] - plain[i]).norm().item<double>(), 1e-4 * plain[i].norm().item<double>() + 1e-6)
          << model.params().all()[i].spec.name;
  }
}

TEST(TokenPass, GroupsKeepTheOrder) {
  const std::vector<Example> examples = {example_of(5, 0, 1), example_of(6, 0, 1), example_of(12, 0, 1)};
  EXPECT_EQ(groups_of(examples, 11), (std::vector<std::vector<std::size_t>>{{0, 1}, {2}}));
}

}  // namespace
}  // namespace reveille::train
