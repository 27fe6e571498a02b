// Direct preference optimisation (Rafailov et al., arXiv 2305.18290): model in, model out, from pairs of replies.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "gen/local.h"
#include "safety/options.h"
#include "train/batches.h"
#include "train/pairs.h"
#include "train/token_pass.h"
#include "train/trainer.h"

namespace reveille::safety {

// TrainOptions with TRL's defaults for this stage.
train::TrainOptions dpo_train_options();

// The reference is the model as it is handed over: its log-probabilities are found once, here.
class DpoObjective : public train::Objective {
 public:
  // Error(usage) for label_smoothing without loss_type=robust, which would do nothing.
  DpoObjective(nn::Transformer& model, std::vector<train::Pair> pairs, std::vector<train::Pair> held_out,
               const train::TrainOptions& options, const DpoOptions& dpo);
  std::int64_t steps_per_epoch() const override { return batches_.steps_per_epoch(); }
  std::string key() const override;
  train::StepOutcome step(std::int64_t step, const std::function<void()>& collect) override;
  train::Metrics evaluate() override;
  std::string note() const override { return note_; }

 private:
  struct Sums;
  void backward(const std::vector<std::size_t>& which, double share, Sums& sums);
  nn::Transformer& model_;
  DpoOptions dpo_;
  std::vector<train::Example> sides_, held_out_;        // pair i: 2 i is chosen, 2 i + 1 rejected
  std::vector<double> reference_, held_out_reference_;  // sums of log-probabilities, by side
  train::Batches batches_;
  std::string note_;
};

train::TrainResult train_dpo(gen::LocalModel& model, std::vector<train::Pair> pairs, std::vector<train::Pair> held_out,
                             const train::TrainOptions& options, const DpoOptions& dpo,
                             const std::filesystem::path& output_dir, const train::TrainHooks& hooks = {});

}  // namespace reveille::safety
