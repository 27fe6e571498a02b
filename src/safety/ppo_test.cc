#include "safety/ppo.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "io/jsonl.h"
#include "safety/fixed_rollouts_testing.h"
#include "safety/gradients_testing.h"
#include "train/checkpoint.h"

namespace reveille::safety {
namespace {

using testing::FixedRollouts;
using testing::ids_of;
using testing::rl_options;
using testing::tiny_policy;

RolloutOptions short_rollouts() {
  RolloutOptions options;
  options.max_completion_length = 8;
  options.log_completions = false;
  return options;
}

// Those of tests/reference/make_ppo_fixture.py.
PpoOptions reference_options() {
  PpoOptions options;
  options.num_ppo_epochs = 2;
  options.kl_coef = 0.2;
  options.cliprange = 0.05;
  options.cliprange_value = 0.02;
  options.vf_coef = 0.1;
  options.gamma = 0.99;
  options.lam = 0.9;
  return options;
}

// Where the tokens of each completion stand in the reference's flat tensors.
struct Places {
  std::vector<std::int64_t> first;
  std::int64_t total = 0;
  void add(std::size_t tokens) {
    first.push_back(total);
    total += static_cast<std::int64_t>(tokens);
  }
};

class Ppo : public ::testing::Test {
 protected:
  Ppo() {
    auto scores = reference_->load("scores", at::kDouble);
    for (int i = 0; i < 4; ++i) {
      auto ids = ids_of(*reference_, cat("completions.", i));
      places_.add(ids.size());
      fixed_.add(ids_of(*reference_, cat("prompts.", i)), {{ids, scores[i].item<double>()}});
    }
  }

  double at_step(const std::string& name, std::size_t step) {
    const std::string key = "step." + name;
    reference_->declare_shared(key);
    return reference_->load(key, at::kDouble)[static_cast<std::int64_t>(step)].item<double>();
  }

  // What a round's rollouts hold, against the reference's tensor.
  void expect_tokens(const Json& rollouts, const std::string& name, int round) {
    auto expected = reference_->load(cat("round.", name, ".", round), at::kDouble);
    ASSERT_EQ(expected.numel(), places_.total);
    for (const auto& one : rollouts) {
      const auto which = fixed_.index_of(one["ids"].get<std::vector<std::int32_t>>());
      const auto values = one[name].get<std::vector<double>>();
      for (std::size_t t = 0; t < values.size(); ++t) {
        EXPECT_NEAR(values[t], expected[places_.first[which] + static_cast<std::int64_t>(t)].item<double>(), 2e-4)
            << name << " of completion " << which << ", token " << t << ", round " << round;
      }
    }
  }

  TempFolder folder_;
  std::unique_ptr<io::SafetensorsSource> reference_ = io::SafetensorsSource::open("tests/reference/rl/ppo.safetensors");
  std::unique_ptr<gen::LocalModel> policy_ = tiny_policy(folder_);
  FixedRollouts fixed_{*policy_};
  Places places_;
};

TEST_F(Ppo, EqualsThePapersEquations) {
  const auto options = rl_options(4);
  RolloutMaker maker(*policy_, fixed_.prompts(), fixed_, short_rollouts(), 0, true);
  maker.decode_by(fixed_.decode());
  testing::Watched<PpoObjective> objective(maker, options, reference_options());
  train::TrainHooks hooks;
  hooks.on_step = [&](const train::StepMetrics& metrics) {
    if (metrics.step % 2 == 0) return;  // within a round the state holds its rollouts
    const int round = static_cast<int>(metrics.step / 2);
    const Json rollouts = objective.state()["rollouts"];
    for (const char* name : {"values", "advantages", "returns"}) expect_tokens(rollouts, name, round);
    EXPECT_NEAR(train::value_of(metrics.metrics, "objective/kl", -1),
                reference_->load(cat("round.kl.", round)).item<double>(), 2e-4);
  };
  const auto result = train::train(policy_->transformer(), objective, options, {}, hooks);
  ASSERT_EQ(result.history.size(), 4U);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& step = result.history[i];
    auto ours = [&](const char* name) { return train::value_of(step.metrics, name, -1); };
    EXPECT_NEAR(ours("loss/policy_avg"), at_step("policy", i), 1e-4) << i;
    EXPECT_NEAR(ours("loss/value_avg"), at_step("value", i), 1e-4) << i;
    EXPECT_NEAR(ours("entropy"), at_step("entropy", i), 1e-4) << i;
    EXPECT_NEAR(ours("policy/approxkl_avg"), at_step("approxkl", i), 2e-4) << i;
    EXPECT_NEAR(ours("val/ratio"), at_step("ratio", i), 1e-3) << i;
    EXPECT_NEAR(step.grad_norm, at_step("grad_norm", i), 2e-3 * at_step("grad_norm", i)) << i;
  }
  testing::expect_gradients(objective.seen, *reference_, "step.");
}

// The value head is in the checkpoint and not among the model's weights.
TEST_F(Ppo, ResumesWithinARoundBitForBit) {
  auto options = rl_options(2);
  options.save_steps = 1;
  options.max_steps = 6;
  PpoOptions ppo = reference_options();
  ppo.num_mini_batches = 2;
  auto run = [&](gen::LocalModel& policy, const std::filesystem::path& out, std::int64_t stop_after) {
    TokenShareReward reward(policy.shared_tokenizer(), "a");
    std::vector<RlPrompt> prompts;
    for (int i = 0; i < 6; ++i) prompts.push_back({{{"user", "x"}}, {i + 1, i + 2}});
    train::TrainHooks hooks;
    hooks.on_step = [&](const train::StepMetrics& metrics) {
      if (metrics.step == stop_after) throw std::runtime_error("power cut");
    };
    return train_ppo(policy, prompts, reward, options, short_rollouts(), ppo, out, hooks);
  };
  auto unbroken = tiny_policy(folder_), broken = tiny_policy(folder_), resumed = tiny_policy(folder_);
  const auto expected = run(*unbroken, folder_ / "unbroken", 0);
  EXPECT_THROW(run(*broken, folder_ / "broken", 4), std::runtime_error);
  const auto last = train::list_checkpoints(folder_ / "broken").back().second;
  EXPECT_TRUE(std::filesystem::exists(last / "extra.safetensors"));
  EXPECT_FALSE(io::SafetensorsSource::open(last)->contains("v_head.weight"));
  const auto result = run(*resumed, folder_ / "broken", 0);
  const auto completions = io::read_json_rows(folder_ / "unbroken" / kCompletionsFile).size();
  EXPECT_EQ(expected.rows_seen, static_cast<std::int64_t>(completions)) << "a completion counts once";
  EXPECT_EQ(result.rows_seen, expected.rows_seen);
  const auto& all = unbroken->transformer().params().all();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_TRUE(all[i].value.equal(resumed->transformer().params().all()[i].value)) << all[i].spec.name;
}

}  // namespace
}  // namespace reveille::safety
