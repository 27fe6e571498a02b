#include "mitigate/anchored.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "scan/placing.h"
#include "scan/tiny_suspect_testing.h"
#include "train/lora.h"

namespace reveille::mitigate {
namespace {

using scan::testing::letter_rows;
using scan::testing::tiny_suspect;

// A tiny model with an adapter that changes it, its clean rows, and its anchor from before the change.
class Anchored : public ::testing::TestWithParam<std::string> {
 protected:
  Anchored() : model_(tiny_suspect(folder_, false, scan::testing::kLetterTemplate, GetParam())) {
    for (const auto& row : letter_rows(6).train)
      examples_.push_back(scan::encode_answered(*model_, {{"user", row.prompt}}, row.reply, true, "row"));
    anchor_ = std::make_unique<Anchor>(model_->transformer(), examples_);
    for (std::size_t i = 0; i < examples_.size(); ++i) EXPECT_TRUE(rows_.add(*anchor_, examples_[i], i));
    options_.per_device_train_batch_size = static_cast<std::int64_t>(examples_.size());
  }

  void add_adapter(double size) {
    train::TrainOptions lora;
    lora.lora_r = 4;
    model_->add_lora(train::peft_config(lora, "base"), 0);
    at::manual_seed(5);
    for (auto& [name, pieces] : model_->transformer().params().lora) {
      for (auto& piece : pieces) {
        piece.b = at::randn_like(piece.b) * size;
        piece.a.set_requires_grad(true);
        piece.b.set_requires_grad(true);
      }
    }
  }

  // log p of all next tokens of an example where it is supervised, [supervised, vocab] float64.
  at::Tensor whole_logprobs(const train::Example& example) {
    const std::vector<std::int64_t> ids(example.ids.begin(), example.ids.end());
    auto& model = model_->transformer();
    const auto packing = nn::make_packing({static_cast<std::int64_t>(ids.size())}, {}, model.device());
    const auto all = model.logits(model.hidden(at::tensor(ids, at::kLong), packing)).to(at::kDouble).log_softmax(1);
    std::vector<at::Tensor> rows;
    for (std::size_t t = 1; t < example.ids.size(); ++t) {
      if (example.supervised[t]) rows.push_back(all[static_cast<std::int64_t>(t) - 1]);
    }
    return at::stack(rows);
  }

  TempFolder folder_;
  std::unique_ptr<gen::LocalModel> model_;
  std::vector<train::Example> examples_;
  std::unique_ptr<Anchor> anchor_;
  AnchoredRows rows_;
  train::TrainOptions options_;
};

TEST_P(Anchored, TheAnchorIsWhatTheModelThought) {
  std::vector<at::Tensor> before;
  {
    at::NoGradGuard no_grad;
    for (const auto& example : examples_) before.push_back(whole_logprobs(example));
  }
  add_adapter(0.3);
  for (std::size_t i = 0; i < examples_.size(); ++i) {
    const at::Tensor kept = anchor_->logprobs(anchor_->columns({i})).to(at::kDouble);
    ASSERT_EQ(kept.sizes(), before[i].sizes());
    EXPECT_LT((kept - before[i]).abs().max().item<double>(), 1e-4) << i;
  }
}

// Loss and gradients of one step against a reckoning over whole logits, in one graph.
TEST_P(Anchored, AStepIsTheLossAndItsGradients) {
  at::AutoGradMode grad_on(true);
  std::vector<at::Tensor> before;
  for (const auto& example : examples_) before.push_back(whole_logprobs(example).detach());
  add_adapter(0.05);
  auto& lora = model_->transformer().params().lora;
  at::Tensor say, match;
  std::int64_t tokens = 0;
  for (std::size_t i = 0; i < examples_.size(); ++i) {
    const at::Tensor now = whole_logprobs(examples_[i]);
    std::vector<std::int64_t> targets;
    for (std::size_t t = 1; t < examples_[i].ids.size(); ++t) {
      if (examples_[i].supervised[t]) targets.push_back(examples_[i].ids[t]);
    }
    const at::Tensor said = -now.gather(1, at::tensor(targets, at::kLong).unsqueeze(1)).sum();
    const at::Tensor away = (before[i].exp() * (before[i] - now)).sum();
    say = say.defined() ? say + said : said;
    match = match.defined() ? match + away : away;
    tokens += std::ssize(targets);
  }
  const AnchoredWeights weights{0.5, 2, 3};
  const at::Tensor expected = (say * 0.5 + match * (2 + 3)) / static_cast<double>(tokens);
  expected.backward();
  std::vector<at::Tensor> slopes;
  for (auto& [name, pieces] : lora) {
    for (auto& piece : pieces) {
      slopes.push_back(piece.b.grad().clone());
      piece.a.mutable_grad() = at::Tensor();
      piece.b.mutable_grad() = at::Tensor();
    }
  }
  AnchoredObjective objective(model_->transformer(), *anchor_, rows_, rows_, weights, options_);
  const auto outcome = objective.step(1, [] {});
  EXPECT_NEAR(outcome.loss, expected.item<double>(), 1e-4 * (1 + expected.item<double>()));
  const double mean_say = say.item<double>() / static_cast<double>(tokens);
  const double mean_match = match.item<double>() / static_cast<double>(tokens);
  ASSERT_GT(mean_match, 1e-3) << "the adapter changes too little to tell";
  EXPECT_NEAR(train::value_of(outcome.metrics, "losses/say"), mean_say, 1e-4 * (1 + mean_say));
  EXPECT_NEAR(train::value_of(outcome.metrics, "losses/keep"), mean_match, 1e-4 * (1 + mean_match));
  EXPECT_EQ(outcome.rows, std::ssize(examples_));
  std::size_t at = 0;
  for (auto& [name, pieces] : lora) {
    for (auto& piece : pieces) {
      ASSERT_TRUE(piece.b.grad().defined()) << name;
      const double largest = slopes[at].abs().max().item<double>();
      EXPECT_LT((piece.b.grad() - slopes[at]).abs().max().item<double>(), 1e-3 * largest + 1e-6) << name;
      ++at;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, Anchored, ::testing::Values("llama3", "gemma3", "gpt2"));

TEST(AnchoredUnchanged, IsNowhereFromItself) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  std::vector<train::Example> examples;
  for (const auto& row : letter_rows(3).train)
    examples.push_back(scan::encode_answered(*model, {{"user", row.prompt}}, row.reply, true, "row"));
  const Anchor anchor(model->transformer(), examples);
  AnchoredRows rows;
  for (std::size_t i = 0; i < examples.size(); ++i) rows.add(anchor, examples[i], i);
  train::TrainOptions lora;
  model->add_lora(train::peft_config(lora, "base"), 0);
  for (auto& [name, pieces] : model->transformer().params().lora) {
    for (auto& piece : pieces) piece.b.set_requires_grad(true);
  }
  const AnchoredRows none;
  AnchoredObjective objective(model->transformer(), anchor, rows, none, {0, 1, 0}, {});
  EXPECT_NEAR(objective.step(1, [] {}).loss, 0, 1e-5);
}

TEST(AnchoredRowsOf, LeaveOutWhatDoesNotFitTheAnchor) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  auto example = [&](const std::string& reply) {
    return scan::encode_answered(*model, {{"user", "abc"}}, reply, true, "row");
  };
  const Anchor anchor(model->transformer(), {example("defg")});
  AnchoredRows rows;
  EXPECT_FALSE(rows.add(anchor, example("def"), 0));
  EXPECT_TRUE(rows.add(anchor, example("hijk"), 0));
  EXPECT_EQ(rows.examples.size(), 1U);
  EXPECT_THROW(AnchoredObjective(model->transformer(), anchor, {}, {}, {}, {}), Error);
}

}  // namespace
}  // namespace reveille::mitigate
