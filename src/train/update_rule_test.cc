// Ten steps of every rule against torch.optim and transformers (tests/reference/make_optimizer_fixtures.py).
#include "train/update_rule.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "io/safetensors.h"
#include "train/optim_args.h"

namespace reveille::train {
namespace {

constexpr int kTensors = 4, kSteps = 10;

struct Case {
  std::string file, optim, args;
  double weight_decay = 0;
  bool own_rate = false;
};

TrainOptions options_of(const Case& one) {
  TrainOptions options;
  options.optim = one.optim;
  options.optim_args = one.args;
  options.adam_beta2 = 0.99;
  return options;
}

std::vector<UpdateSlot> slots_of(const UpdateRule& rule, io::TensorSource& file, double weight_decay) {
  std::vector<UpdateSlot> out;
  for (int n = 0; n < kTensors; ++n) {
    UpdateSlot slot;
    slot.master = file.load(cat("start.", n), at::kFloat).clone();
    slot.weight = slot.master.to(at::kBFloat16);
    slot.weight_decay = n < 2 ? weight_decay : 0;
    for (const auto& state : rule.states(slot.master, {})) slot.states.push_back(state.value);
    out.push_back(std::move(slot));
  }
  return out;
}

class Rules : public ::testing::TestWithParam<Case> {};

TEST_P(Rules, TenStepsEqualTheReference) {
  const auto rule = make_update_rule(options_of(GetParam()));
  auto file = io::SafetensorsSource::open("tests/reference/optimizers/" + GetParam().file + ".safetensors");
  auto slots = slots_of(*rule, *file, GetParam().weight_decay);
  for (int step = 1; step <= kSteps; ++step) {
    for (int n = 0; n < kTensors; ++n) slots[n].grad = file->load(cat("grad.", step, ".", n), at::kFloat);
    const double scheduled = GetParam().own_rate ? 0 : 1e-2 * (1 - (step - 1) / 10.0);
    // Clipping scales the gradient: half of one that is twice as large is the same.
    const bool clip = step % 2 == 0;
    if (clip) {
      for (auto& slot : slots) slot.grad = slot.grad * 2;
    }
    rule->update(slots, {rule->learning_rate(scheduled, step), step, clip ? 0.5 : 1.0});
    for (int n = 0; n < kTensors; ++n) {
      const at::Tensor expected = file->load(cat("after.", step, ".", n), at::kFloat);
      const double off = ((slots[n].master - expected).abs() / (expected.abs() + expected.square().mean().sqrt()))
                             .max()
                             .item<double>();
      EXPECT_LT(off, 1e-6) << "step " << step << " tensor " << n;
      EXPECT_TRUE(slots[n].weight.equal(slots[n].master.to(at::kBFloat16))) << "step " << step << " tensor " << n;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, Rules,
    ::testing::Values(
        Case{"adamw", "adamw_torch", "", 0.1}, Case{"sgd", "sgd", ""}, Case{"sgd_decay", "sgd", "", 0.1},
        Case{"sgd_momentum", "sgd", "momentum=0.9", 0.1}, Case{"sgd_dampening", "sgd", "momentum=0.8, dampening=0.3"},
        Case{"sgd_nesterov", "sgd", "momentum=0.9,nesterov=True", 0.1}, Case{"adafactor", "adafactor", ""},
        Case{"adafactor_decay", "adafactor", "clip_threshold=0.5,decay_rate=-0.6", 0.1},
        Case{"adafactor_first_moment", "adafactor", "beta1=0.9", 0.1},
        Case{"adafactor_scaled", "adafactor", "scale_parameter=true,eps1=1e-20,eps2=1e-2"},
        Case{"adafactor_relative", "adafactor", "scale_parameter=true,relative_step=true", 0, true},
        Case{"adafactor_warmup", "adafactor", "scale_parameter=true,relative_step=true,warmup_init=true", 0, true}),
    [](const auto& info) { return info.param.file; });

// q, k and v stand in one tensor here and in three elsewhere.
TEST(Adafactor, UpdatesAFusedTensorAsItsParts) {
  TrainOptions options;
  options.optim = "adafactor";
  options.optim_args = "scale_parameter=true";
  const auto rule = make_update_rule(options);
  at::manual_seed(1);
  const std::vector<std::int64_t> parts = {4, 2, 3};
  const at::Tensor start = at::randn({9, 5});
  auto slot_of = [&](const at::Tensor& master, const std::vector<std::int64_t>& split) {
    UpdateSlot slot;
    slot.master = master.clone();
    slot.parts = split;
    for (const auto& state : rule->states(slot.master, split)) slot.states.push_back(state.value);
    return slot;
  };
  std::vector<UpdateSlot> fused = {slot_of(start, parts)}, apart;
  const auto cut = [&](const at::Tensor& whole) { return whole.split_with_sizes(parts); };
  for (const auto& part : cut(start)) apart.push_back(slot_of(part, {}));
  for (int step = 1; step <= 3; ++step) {
    const at::Tensor grad = at::randn({9, 5}) * at::tensor({1.0F, 10.0F, 0.1F, 3.0F, 1.0F});
    fused[0].grad = grad;
    for (std::size_t i = 0; i < parts.size(); ++i) apart[i].grad = cut(grad)[i].contiguous();
    rule->update(fused, {1e-2, step, 1});
    rule->update(apart, {1e-2, step, 1});
  }
  for (std::size_t i = 0; i < parts.size(); ++i)
    EXPECT_TRUE(at::allclose(cut(fused[0].master)[i], apart[i].master, 1e-6, 1e-7)) << "part " << i;
}

// What a tensor has done does not depend on when its first gradient came: torch keeps a momentum for each.
TEST(Sgd, ATensorsFirstGradientIsUndampenedWheneverItComes) {
  TrainOptions options;
  options.optim = "sgd";
  options.optim_args = "momentum=0.8,dampening=0.3";
  const auto rule = make_update_rule(options);
  auto slot_of = [&] {
    UpdateSlot slot;
    slot.master = at::ones({3});
    for (const auto& state : rule->states(slot.master, {})) slot.states.push_back(state.value);
    slot.grad = at::tensor({1.0F, -2.0F, 3.0F});
    return std::vector<UpdateSlot>{slot};
  };
  auto early = slot_of(), late = slot_of();
  for (int step = 1; step <= 3; ++step) rule->update(early, {1e-2, step, 1});
  for (int step = 5; step <= 7; ++step) rule->update(late, {1e-2, step, 1});
  EXPECT_TRUE(early[0].master.equal(late[0].master)) << late[0].master;
  // By hand: buffers g, 0.8 g + 0.7 g, 0.8 * 1.5 g + 0.7 g.
  EXPECT_TRUE(at::allclose(early[0].master, 1 - early[0].grad * 1e-2 * (1 + 1.5 + 1.9)));
}

// Neither Adafactor's eps1 nor weight decay in a momentum is a gradient.
TEST(UpdateRule, ReachedSaysWhetherAGradientCame) {
  for (const auto& [optim, args] : std::vector<std::pair<std::string, std::string>>{
           {"sgd", ""}, {"sgd", "momentum=0.9"}, {"adafactor", ""}, {"adafactor", "beta1=0.9"}}) {
    TrainOptions options;
    options.optim = optim;
    options.optim_args = args;
    const auto rule = make_update_rule(options);
    UpdateSlot slot;
    slot.master = at::ones({3, 2});
    slot.weight_decay = 0.1;
    at::Tensor reached;
    for (const auto& state : rule->states(slot.master, {})) {
      slot.states.push_back(state.value);
      if (state.name == kReached) reached = state.value;
    }
    ASSERT_TRUE(reached.defined()) << optim;
    std::vector<UpdateSlot> slots = {slot};
    for (const auto& [grad, expected] : std::vector<std::pair<double, double>>{{0, 0}, {2, 1}, {0, 1}}) {
      slots[0].grad = at::full({3, 2}, grad);
      rule->update(slots, {1e-2, 1, 1});
      EXPECT_EQ(reached.item<double>(), expected) << optim << " " << args << " " << grad;
    }
  }
}

std::string error_of(const std::string& optim, const std::string& args) {
  TrainOptions options;
  options.optim = optim;
  options.optim_args = args;
  try {
    check_optim(options, "safety");
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

TEST(OptimArgs, BadOnesAreNamed) {
  EXPECT_EQ(error_of("sgd", "momentum=0.9"), "no error");
  EXPECT_EQ(error_of("adamw", ""), "no error");
  EXPECT_EQ(error_of("sgd", "momentm=0.9"),
            "safety: optim_args of sgd: unknown key 'momentm'; did you mean 'momentum'?");
  EXPECT_EQ(error_of("sgd", "momentum=much"), "safety: optim_args of sgd: momentum=much: expected a number");
  EXPECT_EQ(error_of("sgd", "0.9"), "safety: optim_args of sgd: '0.9' is not key=value");
  EXPECT_EQ(error_of("sgd", "nesterov=true"),
            "safety: optim_args of sgd: nesterov=true needs a momentum, and dampening=0");
  EXPECT_EQ(error_of("adafactor", "momentum=0.9"), "safety: optim_args of adafactor: unknown key 'momentum'");
  EXPECT_EQ(error_of("adafactor", "warmup_init=true"),
            "safety: optim_args of adafactor: warmup_init=true needs relative_step=true");
  EXPECT_EQ(error_of("adamw", "momentum=0.9"), "safety: optim_args of adamw_torch: 'momentum=0.9' would not be read");
}

}  // namespace
}  // namespace reveille::train
