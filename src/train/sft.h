// Supervised fine-tuning: cross-entropy on the supervised tokens of whole rows.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "train/batches.h"
#include "train/example.h"
#include "train/objective.h"
#include "train/trainer.h"

namespace reveille::train {

// The loss is the mean over all supervised tokens of a step, as TRL's with num_items_in_batch.
class SftObjective : public Objective {
 public:
  // `examples` and `held_out` (may be null) outlive the objective. Error(numeric) when no token is supervised.
  SftObjective(nn::Transformer& model, const std::vector<Example>& examples, const TrainOptions& options,
               const std::vector<Example>* held_out = nullptr);
  std::int64_t steps_per_epoch() const override { return batches_.steps_per_epoch(); }
  std::string key() const override;
  StepOutcome step(std::int64_t step, const std::function<void()>& collect) override;
  Metrics evaluate() override;

 private:
  struct Sums {
    double loss = 0, correct = 0, entropy = 0;
  };
  void backward(const PackedBatch& batch, std::int64_t supervised, Sums& sums);
  nn::Transformer& model_;
  const std::vector<Example>& examples_;
  const std::vector<Example>* held_out_;
  Batches batches_;
};

// The loop with that objective.
TrainResult train(nn::Transformer& model, const std::vector<Example>& examples, const TrainOptions& options,
                  const std::filesystem::path& output_dir, const TrainHooks& hooks = {});

// Mean loss over supervised tokens, without gradients (held-out loss, perplexity = exp).
struct EvalLoss {
  double loss = 0;
  std::int64_t tokens = 0;
  std::vector<double> by_example;  // mean over the example's tokens
};
EvalLoss evaluate_loss(nn::Transformer& model, const std::vector<Example>& examples, std::int64_t batch_tokens = 4096);

}  // namespace reveille::train
