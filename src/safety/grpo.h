// Group relative policy optimisation (Shao et al., arXiv 2402.03300): several completions of each prompt, judged
// against each other, with a KL penalty to the model as it began.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "safety/rounds.h"
#include "train/losses.h"
#include "train/trainer.h"

namespace reveille::safety {

// TRL's names (GRPOConfig of trl 1.16). A round is per_device_train_batch_size * gradient_accumulation_steps
// completions, as with TRL's default steps_per_generation.
struct GrpoOptions {
  std::int64_t num_generations = 8;
  std::int64_t num_iterations = 1;
  double beta = 0.04;
  double epsilon = 0.2, epsilon_high = -1;
  std::string loss_type = "dapo";
  std::string scale_rewards = "group";
  bool use_bias_correction_kl = true;
  void visit(OptionVisitor& v) {
    v.option("num_generations", num_generations, {.help = "completions of each prompt", .min = 2});
    v.option("num_iterations", num_iterations, {.help = "optimiser steps on each round of completions", .min = 1});
    v.option("beta", beta, {.help = "weight of the KL to the model as it began; 0: no reference", .min = 0});
    v.option("epsilon", epsilon, {.help = "how far the ratio may fall below or rise above 1", .min = 0});
    v.option("epsilon_high", epsilon_high, {.help = "how far it may rise above 1; -1: epsilon", .min = -1});
    v.option("loss_type", loss_type,
             {.help = "how the mean over tokens is taken", .choices = {"grpo", "bnpo", "dr_grpo", "dapo"}});
    v.option("scale_rewards", scale_rewards,
             {.help = "advantages are divided by the deviation of the rewards in the group, in the batch, or not",
              .choices = {"group", "batch", "none"}});
    v.option("use_bias_correction_kl", use_bias_correction_kl, {.help = "the KL term is multiplied by the ratio"});
  }
};

// TrainOptions with defaults for this stage.
train::TrainOptions grpo_train_options();

class GrpoObjective : public RoundObjective {
 public:
  // Error(usage) where a round is not whole groups.
  GrpoObjective(RolloutMaker& maker, const train::TrainOptions& options, const GrpoOptions& grpo);
  std::string key() const override;

 protected:
  void prepare(std::vector<Rollout>& rollouts, train::Metrics& metrics) override;
  train::StepOutcome learn(std::int64_t round, std::int64_t step, const std::function<void()>& collect) override;

 private:
  struct Sums;
  void backward(const std::vector<std::size_t>& which, const train::TokenMean& mean, Sums& sums);
  GrpoOptions grpo_;
  std::int64_t micro_batch_;
};

// Model in, model out: learns on the prompts of `rows` from the reward.
train::TrainResult train_grpo(gen::LocalModel& model, std::vector<RlPrompt> prompts, Reward& reward,
                              const train::TrainOptions& options, const RolloutOptions& rollouts,
                              const GrpoOptions& grpo, const std::filesystem::path& output_dir,
                              const train::TrainHooks& hooks = {});

}  // namespace reveille::safety
