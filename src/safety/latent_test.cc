#include "safety/latent.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "safety/fixed_rollouts_testing.h"

namespace reveille::safety {
namespace {

using testing::ids_of;
using testing::rl_options;
using testing::tiny_policy;
using train::attack_latents;
using train::away_from;
using train::latent_layers;
using train::latent_pairs;
using train::LatentSide;
using train::Perturbation;
using train::toward;

class ResidualGradients : public ::testing::TestWithParam<std::string> {};

// Against transformers with forward hooks (tests/reference/make_latent_fixtures.py).
TEST_P(ResidualGradients, EqualTransformers) {
  auto model = gen::testing::tiny_model(GetParam());
  auto reference = io::SafetensorsSource::open("tests/reference/latent/" + GetParam() + ".safetensors");
  train::Example example{ids_of(*reference, "ids"), {}, "fixture"};
  const auto first = reference->load("first", at::kLong).item<std::int64_t>();
  for (std::size_t t = 0; t < example.ids.size(); ++t)
    example.supervised.push_back(static_cast<std::int64_t>(t) >= first ? 1 : 0);
  const auto batch = train::pack({example}, {0}, at::kCPU);
  LatentSide side{batch, at::arange(batch.ids.size(0), at::kLong)};
  Perturbation added{{-1, 1}, {}};
  for (const char* name : {"delta.-1", "delta.1"})
    added.deltas.push_back(reference->load(name, at::kFloat).clone().set_requires_grad(true));
  train::TokenPass pass(model, side.batch, added.hook(side));
  const at::Tensor loss = toward(pass.logprobs());
  EXPECT_NEAR(loss.item<double>(), reference->load("loss", at::kFloat).item<double>(), 1e-4);
  const auto found = pass.gradients(loss, added.deltas);
  int i = 0;
  for (const char* name : {"grad.-1", "grad.1"}) {
    const at::Tensor expected = reference->load(name, at::kFloat);
    EXPECT_GT(expected.abs().max().item<double>(), 1e-3) << "the fixture would hide an error";
    EXPECT_LT((found[static_cast<std::size_t>(i++)] - expected).abs().max().item<double>(), 1e-4) << name;
  }
  for (const auto& param : model.params().all()) EXPECT_FALSE(param.value.grad().defined()) << param.spec.name;
}

INSTANTIATE_TEST_SUITE_P(Models, ResidualGradients, ::testing::Values("llama3", "gemma3", "gpt2", "qwen2"));

TEST(AwayFrom, IsMinusLogOfTheOtherTokens) {
  const at::Tensor logprobs = at::tensor({0.25, 0.5}, at::kFloat).log();
  EXPECT_NEAR(away_from(logprobs).item<double>(), -(std::log(0.75) + std::log(0.5)) / 2, 1e-6);
  EXPECT_TRUE(std::isfinite(away_from(at::zeros({1})).item<double>()));
}

TEST(LatentLayers, AreThoseOfTheOptions) {
  LatentOptions options;
  EXPECT_EQ(latent_layers(options, 32), (std::vector<std::int64_t>{4, 12, 20, 28}));
  EXPECT_EQ(latent_layers(options, 3), (std::vector<std::int64_t>{0, 1, 2}));
  options.layers = {"2", "-1"};
  EXPECT_EQ(latent_layers(options, 3), (std::vector<std::int64_t>{-1, 2}));
  for (const char* wrong : {"3", "-2", "x", ""}) {
    options.layers = {wrong};
    EXPECT_THROW(latent_layers(options, 3), Error) << wrong;
  }
}

// Prompts that begin alike, so that a batch would share what they have in common.
std::vector<train::Pair> pairs() {
  std::vector<train::Pair> out;
  for (std::int32_t i = 0; i < 6; ++i) {
    const std::vector<std::int32_t> prompt = {5, 6, 7, 8, 9, 10, 11, 20 + i};
    auto side = [&](std::vector<std::int32_t> reply) {
      train::Example one{prompt, {}, "pair"};
      one.ids.insert(one.ids.end(), reply.begin(), reply.end());
      one.supervised.assign(one.ids.size(), 1);
      std::fill_n(one.supervised.begin(), prompt.size(), std::uint8_t{0});
      return one;
    };
    out.push_back({side({30, 31, 32 + i, 33}), side({60, 61, 60, 61, 60})});
  }
  return out;
}

TEST(LatentAttack, StaysInItsBallsAndMakesTheRejectedLikelier) {
  auto model = gen::testing::tiny_model("llama3");
  const auto sides = [] {
    std::vector<train::Example> all;
    for (auto& pair : pairs()) {
      all.push_back(pair.chosen);
      all.push_back(pair.rejected);
    }
    return all;
  }();
  const auto batch = latent_pairs(sides, {0, 3}, at::kCPU);
  EXPECT_EQ(batch.chosen.prompt_rows.numel(), 16);
  EXPECT_TRUE(batch.chosen.batch.ids.index_select(0, batch.chosen.prompt_rows)
                  .equal(batch.rejected.batch.ids.index_select(0, batch.rejected.prompt_rows)));
  LatentOptions options;
  options.relative = false;
  options.epsilon = 0.7;
  const auto attack = attack_latents(model, batch, {0, 1}, options);
  EXPECT_LT(attack.after, attack.before - 0.5);
  ASSERT_EQ(attack.found.deltas.size(), 2U);
  for (const auto& delta : attack.found.deltas) {
    EXPECT_EQ(delta.sizes(), (at::IntArrayRef{16, model.config().hidden}));
    EXPECT_LE(delta.norm(2, {1}).max().item<double>(), 0.7 + 1e-4);
    EXPECT_GT(delta.norm(2, {1}).max().item<double>(), 0.6);
  }
  options.iterations = 0;
  const auto nothing = attack_latents(model, batch, {0, 1}, options);
  EXPECT_DOUBLE_EQ(nothing.before, nothing.after);
}

train::TrainOptions options(std::int64_t steps) {
  auto out = rl_options(3);
  out.max_steps = steps;
  out.save_steps = 2;
  return out;
}

TEST(Latent, TheSafeReplyHoldsUnderAttack) {
  TempFolder folder;
  auto policy = tiny_policy(folder);
  const auto result = train_latent(*policy, pairs(), {}, options(30), {}, {});
  auto mean = [&](const char* name, std::size_t from) {
    double sum = 0;
    for (std::size_t i = from; i < from + 3; ++i) sum += train::value_of(result.history[i].metrics, name);
    return sum / 3;
  };
  EXPECT_LT(mean("losses/safe", 27), mean("losses/safe", 0) - 1);
  EXPECT_LT(mean("losses/sft", 27), mean("losses/sft", 0) - 1);
  EXPECT_GT(mean("latent/harmful_after", 27), mean("latent/harmful_after", 0));
}

TEST(Latent, EndsAsAnUnbrokenRunBitForBit) {
  TempFolder folder;
  auto unbroken = tiny_policy(folder), broken = tiny_policy(folder), resumed = tiny_policy(folder);
  train_latent(*unbroken, pairs(), {}, options(5), {}, folder / "unbroken");
  train::TrainHooks hooks;
  hooks.on_step = [&](const train::StepMetrics& metrics) {
    if (metrics.step == 3) throw std::runtime_error("power cut");
  };
  EXPECT_THROW(train_latent(*broken, pairs(), {}, options(5), {}, folder / "broken", hooks), std::runtime_error);
  const auto result = train_latent(*resumed, pairs(), {}, options(5), {}, folder / "broken");
  EXPECT_EQ(result.rows_seen, 15) << "pairs";
  const auto& all = unbroken->transformer().params().all();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_TRUE(all[i].value.equal(resumed->transformer().params().all()[i].value)) << all[i].spec.name;
}

TEST(Latent, NeedsPairs) {
  auto model = gen::testing::tiny_model("llama3");
  EXPECT_THROW(LatentObjective(model, {}, {}, options(1), {}), Error);
}

}  // namespace
}  // namespace reveille::safety
