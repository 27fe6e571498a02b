// The optimisers in the training loop; what one step of each is stands in update_rule_test.cc.
#include "train/optimizer.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <tuple>

#include "train/trainer_testing.h"

namespace reveille::train {
namespace {
namespace fs = std::filesystem;

using gen::testing::tiny_model;
using testing::expect_same_weights;
using testing::piece;
using testing::rows;
using testing::small_options;
using testing::weights_of;

using Optimisers = testing::BrokenRun;

// Of every optimiser, what is in a checkpoint is all that it takes to go on; with the two that keep nothing between
// steps and next to nothing, too.
TEST_F(Optimisers, EveryOptimiserEndsAsAnUnbrokenRunBitForBit) {
  std::vector<std::vector<at::Tensor>> ends;
  for (const auto& [optim, args, rate] : std::vector<std::tuple<std::string, std::string, double>>{
           {"sgd", "", 0.1}, {"sgd", "momentum=0.9", 0.1}, {"adafactor", "", 1e-3}, {"adafactor", "beta1=0.9", 1e-3}}) {
    SCOPED_TRACE(cat(optim, " ", args));
    options_.optim = optim;
    options_.optim_args = args;
    options_.learning_rate = rate;
    auto unbroken = tiny_model("llama3");
    train(unbroken, examples_, options_, {});
    broken_run();
    auto model = tiny_model("llama3");
    train(model, examples_, options_, folder_);
    ends.push_back(weights_of(unbroken));
    expect_same_weights(model, ends.back());
    fs::remove_all(folder_);
  }
  for (std::size_t i = 1; i < ends.size(); ++i) EXPECT_FALSE(ends[i][1].equal(ends[i - 1][1])) << i;
}

TEST_F(Optimisers, ACheckpointOfAnotherOptimiserIsRefused) {
  broken_run();
  options_.optim = "adafactor";
  auto model = tiny_model("llama3");
  try {
    train(model, examples_, options_, folder_);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("optim=adamw_torch, and this run has optim=adafactor"), std::string::npos)
        << error.message();
  }
  options_.optim = "adamw";  // another name of the first
  train(model, examples_, options_, folder_);
}

// A tensor that no gradient reached is told whether the run was broken or not; what an optimiser adds of its own to its
// states (Adafactor its eps1) is none.
TEST_F(Optimisers, WhatNoGradientReachedIsStillToldAfterARunGoesOn) {
  struct Still : Objective {
    at::Tensor idle = at::ones({3, 2});
    std::int64_t steps_per_epoch() const override { return 1; }
    std::string key() const override { return "still"; }
    StepOutcome step(std::int64_t, const std::function<void()>&) override { return {}; }
    std::vector<ExtraParam> extras() override { return {{"idle.weight", idle, false}}; }
    bool trains(const std::string&) const override { return false; }
  };
  for (const auto& [optim, args] : std::vector<std::pair<std::string, std::string>>{
           {"adamw_torch", ""}, {"sgd", ""}, {"sgd", "momentum=0.9"}, {"adafactor", ""}}) {
    options_.optim = optim;
    options_.optim_args = args;
    auto model = tiny_model("llama3");
    Still still;
    Optimizer first(model, options_, still);
    first.trainables()[0].leaf.mutable_grad() = at::zeros({3, 2});
    first.step(1e-3, 1);
    EXPECT_EQ(first.unmoved().size(), 1U) << optim;
    Optimizer second(model, options_, still);
    for (std::size_t i = 0; i < second.trainables()[0].states.size(); ++i)
      second.trainables()[0].states[i].value.copy_(first.trainables()[0].states[i].value);
    second.resumed();
    EXPECT_EQ(second.unmoved().size(), 1U) << optim << " " << args;
  }
}

TEST(Optimiser, LoraLearnsByEach) {
  for (const auto& [optim, args, rate] : std::vector<std::tuple<std::string, std::string, double>>{
           {"sgd", "momentum=0.9", 0.3}, {"adafactor", "", 1e-2}}) {
    auto model = tiny_model("llama3");
    const auto before = weights_of(model);
    at::manual_seed(3);
    model.params().lora["layers.2.down"] = {piece("model.layers.2.mlp.down_proj", 0, 48, 80)};
    auto options = small_options();
    options.optim = optim;
    options.optim_args = args;
    options.learning_rate = rate;
    options.max_steps = 12;
    options.per_device_train_batch_size = 8;
    const auto result = train(model, rows(8), options, {});
    EXPECT_LT(result.history.back().loss, result.history.front().loss - 0.001) << optim;
    expect_same_weights(model, before);
  }
}

// Adafactor's own rates stand in the log, and none of the schedule's is asked for.
TEST(Optimiser, RelativeStepsAreLoggedAsTheyAreTaken) {
  auto model = tiny_model("llama3");
  auto options = small_options();
  options.optim = "adafactor";
  options.optim_args = "relative_step=true,scale_parameter=true,warmup_init=true";
  options.learning_rate = 0;
  options.max_steps = 3;
  ::testing::internal::CaptureStderr();
  const auto result = train(model, rows(4), options, {});
  EXPECT_EQ(::testing::internal::GetCapturedStderr().find("learning_rate is 0"), std::string::npos);
  for (std::size_t i = 0; i < 3; ++i)
    EXPECT_DOUBLE_EQ(result.history[i].learning_rate, 1e-6 * static_cast<double>(i + 1));
}

}  // namespace
}  // namespace reveille::train
