// Proximal policy optimisation with a value head, a KL penalty in every token's reward, and whitened advantages
// (Ouyang et al., arXiv 2203.02155, section 3.5; Stiennon et al., arXiv 2009.01325; the paper that Reveille rebuilds
// trains so). The value head is a linear layer on the policy's own blocks: docs/decisions.md says why.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "safety/rounds.h"
#include "train/trainer.h"

namespace reveille::safety {

// The names of TRL's PPOConfig. A round is per_device_train_batch_size * gradient_accumulation_steps *
// num_mini_batches completions, each of a prompt of its own, and num_ppo_epochs * num_mini_batches optimiser steps.
struct PpoOptions {
  std::int64_t num_ppo_epochs = 4;
  std::int64_t num_mini_batches = 1;
  double kl_coef = 0.05;
  std::string kl_estimator = "k1";
  double cliprange = 0.2, cliprange_value = 0.2;
  double vf_coef = 0.1;
  double gamma = 1.0, lam = 0.95;
  bool whiten_rewards = false;
  double missing_eos_penalty = 0;
  void visit(OptionVisitor& v) {
    v.option("num_ppo_epochs", num_ppo_epochs, {.help = "passes over each round of completions", .min = 1});
    v.option("num_mini_batches", num_mini_batches, {.help = "optimiser steps of a pass", .min = 1});
    v.option("kl_coef", kl_coef,
             {.help = "weight of a token's KL to the model as it began, in its reward", .min = 0, .aliases = {"beta"}});
    v.option("kl_estimator", kl_estimator,
             {.help = "k1: log ratio, unbiased; k3: never negative", .choices = {"k1", "k3"}});
    v.option("cliprange", cliprange, {.help = "how far the ratio may leave 1", .min = 0, .aliases = {"epsilon"}});
    v.option("cliprange_value", cliprange_value, {.help = "how far a value may leave the old one", .min = 0});
    v.option("vf_coef", vf_coef, {.help = "weight of the value loss", .min = 0});
    v.option("gamma", gamma, {.help = "discount of later rewards", .min = 0, .max = 1});
    v.option("lam", lam, {.help = "lambda of generalised advantage estimation", .min = 0, .max = 1});
    v.option("whiten_rewards", whiten_rewards, {.help = "scale the tokens' rewards to deviation 1 (mean kept)"});
    v.option("missing_eos_penalty", missing_eos_penalty,
             {.help = "taken off the score of a completion that was cut off", .min = 0});
  }
};

// TrainOptions with defaults for this stage.
train::TrainOptions ppo_train_options();

class PpoObjective : public RoundObjective {
 public:
  PpoObjective(RolloutMaker& maker, const train::TrainOptions& options, const PpoOptions& ppo);
  std::string key() const override;
  std::vector<train::ExtraParam> extras() override;

 protected:
  void prepare(std::vector<Rollout>& rollouts, train::Metrics& metrics) override;
  train::StepOutcome learn(std::int64_t round, std::int64_t step, const std::function<void()>& collect) override;

 private:
  struct Sums;
  at::Tensor values_of(const at::Tensor& hidden) const;
  void find_values(std::vector<Rollout>& rollouts);
  void find_advantages(std::vector<Rollout>& rollouts) const;
  std::vector<std::size_t> mini_batch(std::int64_t round, std::int64_t step) const;
  void backward(const std::vector<std::size_t>& which, double share, Sums& sums);
  PpoOptions ppo_;
  std::int64_t micro_batch_, seed_;
  at::Tensor head_, bias_;  // [1, hidden], [1] float32; zero at first, so that the policy begins undisturbed
};

// Model in, model out; the value head is not part of what comes out.
train::TrainResult train_ppo(gen::LocalModel& model, std::vector<RlPrompt> prompts, Reward& reward,
                             const train::TrainOptions& options, const RolloutOptions& rollouts, const PpoOptions& ppo,
                             const std::filesystem::path& output_dir, const train::TrainHooks& hooks = {});

}  // namespace reveille::safety
