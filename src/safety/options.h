// The settings of the safety trainings, under TRL's names (trl 1.16; PPO's as its last PPOConfig had them). Free of
// torch, so that a recipe can hold them.
#pragma once

#include <cstdint>
#include <string>

#include "base/options.h"

namespace reveille::safety {

// TRL's names (DPOConfig of trl 1.16).
struct DpoOptions {
  double beta = 0.1;
  std::string loss_type = "sigmoid";
  double label_smoothing = 0;
  void visit(OptionVisitor& v) {
    v.option("beta", beta, {.help = "how strongly the model is held to where it began", .min = 0});
    v.option("loss_type", loss_type,
             {.help = "sigmoid, or robust: some pairs may be the wrong way round", .choices = {"sigmoid", "robust"}});
    v.option("label_smoothing", label_smoothing,
             {.help = "share of pairs that are the wrong way round, for loss_type=robust", .min = 0, .max = 0.499});
  }
};

// TRL's names (RewardConfig of trl 1.16).
struct RewardOptions {
  double center_rewards_coefficient = 0;
  double held_out = 0.1;  // used by those who have no held-out pairs of their own: train::split_held_out
  void visit(OptionVisitor& v) {
    v.option("center_rewards_coefficient", center_rewards_coefficient,
             {.help = "weight of a term that keeps the scores around 0; 0: none", .min = 0});
    v.option("held_out", held_out,
             {.help = "share of the pairs held out where no others are given", .min = 0, .max = 0.9});
  }
};

// How a model writes its own scratchpads before the good replies (safety/post_scratchpad.h).
struct PostScratchpadOptions {
  std::int64_t tokens = 96;
  double temperature = 1;
  void visit(OptionVisitor& v) {
    v.option("scratchpad_tokens", tokens, {.help = "longest scratchpad, in tokens", .min = 1});
    v.option("scratchpad_temperature", temperature, {.help = "of sampled scratchpads; 0 is greedy", .min = 0});
  }
};

struct RolloutOptions {
  std::int64_t max_completion_length = 128;
  double temperature = 1.0;
  std::int64_t generation_batch_size = 64;
  bool log_completions = true;
  void visit(OptionVisitor& v) {
    v.option("max_completion_length", max_completion_length,
             {.help = "longest completion, in tokens", .min = 1, .aliases = {"max_new_tokens", "response_length"}});
    v.option(
        "temperature", temperature,
        {.help = "of sampling; only 1 is supported: that is what the log-probabilities are of", .min = 1, .max = 1});
    v.option("generation_batch_size", generation_batch_size,
             {.help = "sequences decoded side by side", .min = 1, .max = 4096});
    v.option("log_completions", log_completions, {.help = "show a completion now and then"});
  }
};

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

}  // namespace reveille::safety
