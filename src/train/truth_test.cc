// Every architecture against transformers: logits, log-probabilities, loss, gradients and ten
// AdamW steps in float32, with the kernels and with stock operators.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>
#include <map>

#include "base/error.h"
#include "gen/score.h"
#include "gen/tiny_model_testing.h"
#include "train/sft.h"

namespace reveille::train {
namespace {

using gen::testing::Operators;
using gen::testing::tiny_model;
using gen::testing::tiny_reference;

// The largest |a - b| / (|b| + root mean square of b).
double distance(const at::Tensor& a, const at::Tensor& b) {
  EXPECT_EQ(a.sizes(), b.sizes());
  at::Tensor x = a.detach().to(at::kDouble), y = b.to(at::kDouble);
  double worst = ((x - y).abs() / (y.abs() + y.square().mean().sqrt() + 1e-30)).max().item<double>();
  return std::isnan(worst) ? INFINITY : worst;
}

std::vector<std::vector<std::int32_t>> sequences_of(io::TensorSource& reference) {
  std::vector<std::vector<std::int32_t>> out;
  for (int n = 0; n < 3; ++n) {
    auto ids = reference.load(cat("ids.", n), at::kInt);
    out.emplace_back(ids.data_ptr<std::int32_t>(), ids.data_ptr<std::int32_t>() + ids.numel());
  }
  return out;
}

// Every token but the first is a target.
std::vector<Example> examples_of(io::TensorSource& reference) {
  std::vector<Example> out;
  for (auto& ids : sequences_of(reference)) {
    std::vector<std::uint8_t> supervised(ids.size(), 1);
    out.push_back({std::move(ids), std::move(supervised), "reference"});
  }
  return out;
}

// The sequences end to end, without their last tokens; what follows each; one mean loss over all.
nn::HeadLoss loss_of(nn::Transformer& model, const std::vector<std::vector<std::int32_t>>& sequences) {
  std::vector<std::int64_t> tokens, targets, lengths;
  for (const auto& ids : sequences) {
    tokens.insert(tokens.end(), ids.begin(), ids.end() - 1);
    targets.insert(targets.end(), ids.begin() + 1, ids.end());
    lengths.push_back(static_cast<std::int64_t>(ids.size()) - 1);
  }
  auto hidden = model.hidden(at::tensor(tokens, at::kLong), nn::make_packing(lengths, {}, at::kCPU));
  auto count = static_cast<std::int64_t>(targets.size());
  return nn::head_loss(hidden, model.head_inputs(hidden).second, at::tensor(targets, at::kLong),
                       at::full({count}, 1.0 / static_cast<double>(count)), model.config().final_softcap);
}

using Case = std::tuple<std::string, bool>;  // folder, stock operators
class Truth : public ::testing::TestWithParam<Case> {
 protected:
  std::string name_ = std::get<0>(GetParam());
  Operators operators_{std::get<1>(GetParam())};
  nn::Transformer model_ = tiny_model(name_);
  std::unique_ptr<io::SafetensorsSource> reference_ = tiny_reference(name_);
};

TEST_P(Truth, Logits) {
  at::NoGradGuard no_grad;
  auto ids = reference_->load("ids.0");
  auto hidden = model_.hidden(ids, nn::make_packing({ids.numel()}, {}, at::kCPU));
  EXPECT_LT(distance(model_.logits(hidden), reference_->load("logits.0")), 1e-4);
}

TEST_P(Truth, LogitsFromACacheFilledInThreeParts) {
  at::NoGradGuard no_grad;
  auto ids = reference_->load("ids.0");
  const std::int64_t total = ids.numel();
  auto cache = model_.make_cache(2, total);
  std::vector<at::Tensor> parts;
  auto feed = [&](std::int64_t from, std::int64_t to) {
    auto packing = nn::make_packing({to - from}, {from}, at::kCPU);
    parts.push_back(model_.logits(model_.hidden_cached(ids.narrow(0, from, to - from), packing, cache, {1})));
  };
  feed(0, 20);
  feed(20, 33);
  for (std::int64_t t = 33; t < total; ++t) feed(t, t + 1);
  EXPECT_LT(distance(at::cat(parts, 0), reference_->load("logits.0")), 1e-4);
}

TEST_P(Truth, LogProbabilities) {
  auto scores = gen::score(model_, sequences_of(*reference_));
  for (std::size_t n = 0; n < scores.size(); ++n) {
    auto ours = at::tensor(std::vector<float>(scores[n].begin() + 1, scores[n].end()));
    EXPECT_LT(distance(ours, reference_->load(cat("logprobs.", n))), 1e-4) << "sequence " << n;
  }
}

TEST_P(Truth, LossAndGradients) {
  at::AutoGradMode grad_on(true);
  for (auto& param : model_.params().all()) param.value.set_requires_grad(true);
  auto loss = loss_of(model_, sequences_of(*reference_)).loss;
  EXPECT_NEAR(loss.item<float>(), reference_->load("loss").item<float>(), 1e-5);
  loss.backward();
  std::map<std::string, at::Tensor> grads;
  for (auto& param : model_.params().all()) {
    ASSERT_TRUE(param.value.grad().defined()) << param.spec.name;
    for (auto& [piece, grad] : nn::Params::hf_pieces({param.spec, param.value.grad(), {}})) grads[piece] = grad;
  }
  int whole = 0, norms = 0;
  for (const auto& key : reference_->names()) {
    if (key.starts_with("grad.")) {
      ++whole;
      EXPECT_LT(distance(grads.at(key.substr(5)), reference_->load(key)), 1e-4) << key;
    } else if (key.starts_with("grad_norm.")) {
      ++norms;
      double expected = reference_->load(key).item<float>();
      // Some gradients are zero but for rounding: that of a key's bias, which softmax ignores.
      EXPECT_NEAR(grads.at(key.substr(10)).norm().item<float>(), expected, 1e-4 * expected + 1e-6) << key;
    }
  }
  EXPECT_EQ(whole, 4);
  EXPECT_EQ(norms, static_cast<int>(grads.size()));
}

TEST_P(Truth, TenStepsOfAdamW) {
  TrainOptions options;
  options.per_device_train_batch_size = 3;
  options.max_steps = 10;
  options.learning_rate = 1e-3;
  options.lr_scheduler_type = "constant";
  options.max_grad_norm = 0;
  auto examples = examples_of(*reference_);
  auto result = train(model_, examples, options, {});
  auto expected = reference_->load("losses");
  ASSERT_EQ(result.history.size(), 10U);
  for (std::size_t i = 0; i < 10; ++i)
    EXPECT_NEAR(result.history[i].loss, expected[static_cast<std::int64_t>(i)].item<float>(), 1e-4) << "step " << i + 1;
  EXPECT_NEAR(evaluate_loss(model_, examples).loss, expected[10].item<float>(), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Architectures, Truth,
                         ::testing::Combine(::testing::Values("llama3", "llama_yarn", "llama_linear", "mistral",
                                                              "qwen2", "qwen3", "gemma3", "gpt2"),
                                            ::testing::Bool()),
                         [](const auto& info) {
                           return std::get<0>(info.param) + (std::get<1>(info.param) ? "_stock" : "_kernels");
                         });

}  // namespace
}  // namespace reveille::train
