// The training loop: schedule, optimiser, logs, checkpoints, resume, for every objective.
//
// A run is a function of (model, objective, options): the order of the data and every sample are
// drawn from the seed and the step, so a run that is killed and started again ends with the same
// weights, bit for bit, as one that was not (same machine, same thread count).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <vector>

#include "base/json.h"
#include "nn/transformer.h"
#include "train/example.h"
#include "train/objective.h"
#include "train/options.h"

namespace reveille::train {

// What a step reports, under TRL's names.
struct StepMetrics {
  std::int64_t step = 0;
  double epoch = 0, loss = 0, grad_norm = 0, learning_rate = 0;
  Metrics metrics;               // the objective's own
  std::int64_t num_tokens = 0;   // seen so far
  std::int64_t num_rows = 0;     // learnt from so far, StepOutcome::rows
  double tokens_per_second = 0;  // of this step; not part of what is reproducible
};
Json to_json(const StepMetrics& metrics);

// Figures of the held-out rows, as transformers logs them.
struct EvalMetrics {
  std::int64_t step = 0;
  double epoch = 0, eval_loss = 0;
  Metrics metrics;  // others, "eval_accuracy"
};
Json to_json(const EvalMetrics& metrics);

struct TrainHooks {
  std::function<void(const StepMetrics&)> on_step;
  // At every eval_steps and after the last step; true stops the run there.
  std::function<bool(std::int64_t step)> on_eval;
  // Held-out rows of supervised fine-tuning: their loss is logged whenever on_eval is due. They outlive the run.
  const std::vector<Example>* held_out = nullptr;
  // Writes what a checkpoint's weights need beside them to be opened as a model (gen::save_beside_weights).
  std::function<void(const std::filesystem::path& folder)> save_beside;
  std::string title = "training";
  // What the caller is going to write into output_dir afterwards: a disk that is too small for it and for the
  // checkpoints is told before the first step. 0 checks nothing.
  std::uintmax_t result_bytes = 0;
};

struct TrainResult {
  std::int64_t steps = 0;
  std::int64_t rows_seen = 0;  // StepOutcome::rows of all steps, those before a resume included
  bool stopped_early = false;
  std::vector<StepMetrics> history;
  std::vector<EvalMetrics> evals;
  std::vector<std::string> red_flags;  // Objective::red_flags after the last step
  // Whether any step had a learning rate above 0: a run that is all warm-up has none.
  bool could_learn() const;
};

// Writes trainer_log.jsonl, TensorBoard events and checkpoint-N/ under `output_dir` (empty: no files).
// Errors: numeric for a NaN or exploding loss, or when a step has nothing to learn from; interrupted on Ctrl-C,
// after a checkpoint is written.
TrainResult train(nn::Transformer& model, Objective& objective, const TrainOptions& options,
                  const std::filesystem::path& output_dir, const TrainHooks& hooks = {});

// The type that save_dtype asks for the trained weights.
at::ScalarType saved_type(const TrainOptions& options, const nn::Transformer& model);

// Optimiser steps of a run whose data last for `steps_per_epoch`.
std::int64_t total_steps(const TrainOptions& options, std::int64_t steps_per_epoch);

}  // namespace reveille::train
