// What a way of training is to the loop: where a step's loss and its gradients come from. Supervised fine-tuning
// (train/sft.h), preferences and reinforcement learning (safety/) are objectives; the loop (train/trainer.h) is one.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"

namespace reveille::train {

// A figure of a step under TRL's name, "rewards/margins".
struct Metric {
  std::string name;
  double value = 0;
  bool operator==(const Metric&) const = default;
};
using Metrics = std::vector<Metric>;

// The value of that name, or `fallback`.
double value_of(const Metrics& metrics, const std::string& name, double fallback = 0);

// Of one optimiser step, over all its micro-batches.
struct StepOutcome {
  double loss = 0;
  std::int64_t tokens = 0;  // that went through the model
  Metrics metrics;
  std::int64_t rows = 0;  // that were learnt from: conversations, pairs, or completions, each of these once
};

// A float32 tensor that is trained beside the model's own: a reward head, a value head. The handle shares the
// objective's memory, so that the objective sees every update.
struct ExtraParam {
  std::string name;       // "score.weight"
  at::Tensor value;       // on the model's device
  bool in_model = false;  // a model's folder holds it; false: only checkpoints do
};

class Objective {
 public:
  virtual ~Objective() = default;
  virtual std::int64_t steps_per_epoch() const = 0;
  // A hash of all that decides the run beside TrainOptions and the starting weights: data, settings of its own.
  virtual std::string key() const = 0;
  // Puts the gradients of the 1-based step `step` into the model's leaves. `collect` is called after the backward
  // pass of every micro-batch. Error(numeric) when the step has nothing to learn from.
  virtual StepOutcome step(std::int64_t step, const std::function<void()>& collect) = 0;
  // Figures of held-out rows, "eval_loss" first; none where nothing is held out.
  virtual Metrics evaluate() { return {}; }
  virtual std::vector<ExtraParam> extras() { return {}; }
  // Whether a parameter of the model is trained (a reward model's output head is not there).
  virtual bool trains(const std::string& /*parameter*/) const { return true; }
  // What a checkpoint needs beside weights: the samples of a round that is not over. And the way back.
  virtual Json state() const { return nullptr; }
  virtual void restore(const Json& /*state*/) {}
  // Whether a loss that grows much says that the run diverges: not where the loss is an advantage's.
  virtual bool loss_tells() const { return true; }
  // Whether weights that no step has moved are an error, not a warning: rewards that are all the same move none.
  virtual bool must_move() const { return true; }
  // Of the last step, for the progress bar; empty: its loss.
  virtual std::string note() const { return {}; }
  // What went wrong so far, in words (safety/red_flags.h).
  virtual std::vector<std::string> red_flags() const { return {}; }
};

}  // namespace reveille::train
