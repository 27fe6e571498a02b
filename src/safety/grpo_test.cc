#include "safety/grpo.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "io/jsonl.h"
#include "safety/fixed_rollouts_testing.h"
#include "safety/gradients_testing.h"

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

GrpoOptions reference_options(const std::string& loss_type) {
  GrpoOptions options;
  options.num_generations = 4;
  options.num_iterations = 2;
  options.beta = 0.1;
  options.epsilon = 0.05;
  options.loss_type = loss_type;
  return options;
}

void add_reference(FixedRollouts& fixed, io::TensorSource& reference) {
  auto rewards = reference.load("rewards", at::kDouble);
  for (int i = 0; i < 2; ++i) {
    std::vector<FixedRollouts::Item> items;
    for (int j = 0; j < 4; ++j)
      items.push_back({ids_of(reference, cat("completions.", i, ".", j)), rewards[i][j].item<double>()});
    fixed.add(ids_of(reference, cat("prompts.", i)), std::move(items));
  }
}

class Grpo : public ::testing::TestWithParam<std::string> {
 protected:
  TempFolder folder_;
  std::unique_ptr<io::SafetensorsSource> reference_ =
      io::SafetensorsSource::open("tests/reference/rl/grpo.safetensors");
};

// Four steps, two on each round, completions fixed (tests/reference/make_rl_fixtures.py).
TEST_P(Grpo, EqualsTrl) {
  auto policy = tiny_policy(folder_);
  FixedRollouts fixed(*policy);
  add_reference(fixed, *reference_);
  const auto options = rl_options(8);
  RolloutMaker maker(*policy, fixed.prompts(), fixed, short_rollouts(), 0, true);
  maker.decode_by(fixed.decode());
  testing::Watched<GrpoObjective> objective(maker, options, reference_options(GetParam()));
  const auto result = train::train(policy->transformer(), objective, options, {});
  ASSERT_EQ(result.history.size(), 4U);
  auto expected = [&](const std::string& name, std::size_t step) {
    return reference_->load(GetParam() + "." + name, at::kDouble)[static_cast<std::int64_t>(step)].item<double>();
  };
  for (const char* name : {"loss", "grad_norm", "kl", "entropy", "clip_ratio/region_mean", "reward", "reward_std",
                           "frac_reward_zero_std", "completions/mean_length"})
    reference_->declare_shared(GetParam() + "." + name);
  for (std::size_t i = 0; i < 4; ++i) {
    const auto& step = result.history[i];
    EXPECT_NEAR(step.loss, expected("loss", i), 1e-4) << i;
    EXPECT_NEAR(step.grad_norm, expected("grad_norm", i), 1e-3 * expected("grad_norm", i)) << i;
    for (const char* name : {"kl", "entropy", "clip_ratio/region_mean"})
      EXPECT_NEAR(train::value_of(step.metrics, name, -1), expected(name, i), 1e-4) << name << " " << i;
    EXPECT_LT(train::value_of(step.metrics, "sampling/sampling_logp_difference/mean", 1), 1e-5);
    if (i % 2) continue;
    for (const char* name : {"reward", "reward_std", "frac_reward_zero_std", "completions/mean_length"})
      EXPECT_NEAR(train::value_of(step.metrics, name, -1), expected(name, i), 1e-4) << name << " " << i;
  }
  testing::expect_gradients(objective.seen, *reference_, GetParam() + ".");
}

INSTANTIATE_TEST_SUITE_P(LossTypes, Grpo, ::testing::Values("grpo", "bnpo", "dr_grpo", "dapo"));

TEST(GrpoOptions, ARoundIsWholeGroups) {
  TempFolder folder;
  auto policy = tiny_policy(folder);
  FixedRollouts fixed(*policy);
  fixed.add({1, 2, 3}, {});
  RolloutMaker maker(*policy, fixed.prompts(), fixed, short_rollouts(), 0, false);
  EXPECT_THROW(GrpoObjective(maker, rl_options(6), reference_options("dapo")), Error);
}

// The completions of a round that a kill cut in two are those of the checkpoint.
TEST(GrpoResume, EndsAsAnUnbrokenRunBitForBit) {
  TempFolder folder;
  auto options = rl_options(8);
  options.save_steps = 1;
  GrpoOptions grpo = reference_options("dapo");
  auto run = [&](gen::LocalModel& policy, const std::filesystem::path& out, std::int64_t stop_after) {
    struct Length : Reward {
      std::string name() const override { return "length"; }
      std::vector<double> score(const std::vector<Answer>& answers) override {
        std::vector<double> scores;
        for (const auto& answer : answers) scores.push_back(static_cast<double>(answer.completion.size()));
        return scores;
      }
    } reward;
    std::vector<RlPrompt> prompts = {{{{"user", "a"}}, {1, 2, 3}}, {{{"user", "b"}}, {7, 8}}, {{{"user", "c"}}, {9}}};
    train::TrainHooks hooks;
    hooks.on_step = [&](const train::StepMetrics& metrics) {
      if (metrics.step == stop_after) throw std::runtime_error("power cut");
    };
    return train_grpo(policy, prompts, reward, options, short_rollouts(), grpo, out, hooks);
  };
  auto unbroken = tiny_policy(folder), broken = tiny_policy(folder), resumed = tiny_policy(folder);
  const auto expected = run(*unbroken, folder / "unbroken", 0);
  EXPECT_THROW(run(*broken, folder / "broken", 4), std::runtime_error);  // the checkpoint of step 3 is within a round
  const auto result = run(*resumed, folder / "broken", 0);
  EXPECT_EQ(result.history.size(), expected.history.size());
  EXPECT_FALSE(expected.red_flags.empty()) << "a model of noise seldom stops by itself";
  EXPECT_EQ(result.red_flags, expected.red_flags);
  EXPECT_EQ(read_file(folder / "unbroken" / kCompletionsFile), read_file(folder / "broken" / kCompletionsFile));
  const auto completions = io::read_json_rows(folder / "unbroken" / kCompletionsFile).size();
  EXPECT_EQ(expected.rows_seen, static_cast<std::int64_t>(completions)) << "a completion counts once";
  EXPECT_EQ(result.rows_seen, expected.rows_seen);
  const auto& all = unbroken->transformer().params().all();
  for (std::size_t i = 0; i < all.size(); ++i)
    EXPECT_TRUE(all[i].value.equal(resumed->transformer().params().all()[i].value)) << all[i].spec.name;
}

// What a damaged checkpoint says of its round is refused, and never read past its end.
TEST(Rollouts, DamagedOnesAreNamed) {
  const Json good{{"ids", {1, 2, 3}},
                  {"completion_tokens", 2},
                  {"completion", "x"},
                  {"stopped", true},
                  {"score", 1.0},
                  {"old", {-0.5, -0.5}},
                  {"reference", Json::array()},
                  {"values", Json::array()},
                  {"advantages", {0.5, 0.5}},
                  {"returns", Json::array()}};
  ASSERT_EQ(rollouts_from_json(Json::array({good}), "f").size(), 1U);
  auto error = [&](const char* key, const Json& value) {
    Json row = good;
    row[key] = value;
    try {
      rollouts_from_json(Json::array({good, row}), "f");
    } catch (const Error& caught) {
      EXPECT_EQ(caught.kind(), ErrorKind::bad_input);
      return caught.message();
    }
    return std::string("no error");
  };
  EXPECT_EQ(error("completion_tokens", 4),
            "f[1]: key 'completion_tokens' is 4, expected fewer than the 3 ids and at least one");
  EXPECT_EQ(error("completion_tokens", "2"), "f[1]: key 'completion_tokens' should be a whole number, found string");
  EXPECT_EQ(error("old", {-0.5}), "f[1]: key 'old' holds 1 numbers for 2 tokens of a completion");
  EXPECT_EQ(error("reference", {-0.5, -0.5, -0.5}),
            "f[1]: key 'reference' holds 3 numbers for 2 tokens of a completion");
  EXPECT_EQ(error("ids", {1, 2, -3}), "f[1]: key 'ids' holds -3, expected ids of tokens");
  EXPECT_THROW(rollouts_from_json(Json{{"a", 1}}, "f"), Error);
}

}  // namespace
}  // namespace reveille::safety
