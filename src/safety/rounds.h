// What GRPO and PPO have in common: rounds of completions, several optimiser steps on each, and what is told of them.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "safety/red_flags.h"
#include "safety/rollouts.h"
#include "train/batches.h"
#include "train/objective.h"

namespace reveille::safety {

// One round: `prompts` prompts, `each` completions of each, `steps` optimiser steps on them.
struct RoundShape {
  std::int64_t prompts = 1, each = 1, steps = 1;
};

// Completions that go through the model together, one after the other in a packed batch, with what is known of their
// tokens end to end: [tokens] float32 on the model's device.
struct TokenBatch {
  train::PackedBatch packed;
  std::vector<std::int64_t> tokens_of;
  at::Tensor old, reference, values, advantages, returns;  // reference and values undefined where there are none
};
TokenBatch token_batch(const std::vector<Rollout>& rollouts, const std::vector<std::size_t>& which, at::Device device);

class RoundObjective : public train::Objective {
 public:
  // `maker` outlives the objective.
  RoundObjective(RolloutMaker& maker, const RoundShape& shape, std::int64_t seed);
  std::int64_t steps_per_epoch() const override { return batches_.steps_per_epoch() * shape_.steps; }
  train::StepOutcome step(std::int64_t step, const std::function<void()>& collect) override;
  Json state() const override;
  void restore(const Json& state) override;
  bool loss_tells() const override { return false; }
  bool must_move() const override { return false; }
  std::string note() const override { return note_; }
  std::vector<std::string> red_flags() const override { return flags_.said(); }

 protected:
  // Fills in what the loss needs of fresh completions; adds metrics of the round.
  virtual void prepare(std::vector<Rollout>& rollouts, train::Metrics& metrics) = 0;
  // One optimiser step on rollouts(), the 0-based `step` of the 0-based `round`.
  virtual train::StepOutcome learn(std::int64_t round, std::int64_t step, const std::function<void()>& collect) = 0;
  const std::vector<Rollout>& rollouts() const { return rollouts_; }
  RolloutMaker& maker() { return maker_; }
  const RolloutMaker& maker() const { return maker_; }
  nn::Transformer& model() { return maker_.policy().transformer(); }
  // Mean |log p in training - log p in sampling|, to be told of the first step of a round.
  void note_difference(double mean) { difference_ = mean; }

 private:
  void begin_round(std::int64_t round);
  void refuse_strange_ids(const Rollout& one, const std::string& where);
  RolloutMaker& maker_;
  RoundShape shape_;
  train::Batches batches_;  // of prompts
  std::int64_t round_ = -1, steps_done_ = 0;
  std::vector<Rollout> rollouts_;
  train::Metrics round_metrics_;
  double difference_ = 0;
  RedFlags flags_;
  std::string note_;
};

// reward, reward_std, rewards/NAME/mean, completions/..., under TRL's names.
train::Metrics completion_metrics(const std::vector<Rollout>& rollouts, const std::string& reward);

// Splits 0 .. count - 1 into runs of at most `size`, or a given list.
std::vector<std::vector<std::size_t>> in_parts(const std::vector<std::size_t>& items, std::size_t size);
std::vector<std::size_t> all_of(std::size_t count);

}  // namespace reveille::safety
