// Training a preference model on pairs by the Bradley-Terry loss (Ouyang et al., arXiv 2203.02155, eq. 1).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "safety/options.h"
#include "safety/reward_model.h"
#include "train/batches.h"
#include "train/pairs.h"
#include "train/trainer.h"

namespace reveille::safety {

// TrainOptions with defaults for this stage.
train::TrainOptions reward_train_options();

class RewardObjective : public train::Objective {
 public:
  // `head` is the model's score head; the pairs are those of train::encode_pairs.
  RewardObjective(nn::Transformer& model, at::Tensor head, std::optional<std::int32_t> pad,
                  std::vector<train::Pair> pairs, std::vector<train::Pair> held_out, const train::TrainOptions& options,
                  const RewardOptions& reward);
  std::int64_t steps_per_epoch() const override { return batches_.steps_per_epoch(); }
  std::string key() const override;
  train::StepOutcome step(std::int64_t step, const std::function<void()>& collect) override;
  // eval_loss, eval_accuracy, eval_margin.
  train::Metrics evaluate() override;
  std::vector<train::ExtraParam> extras() override { return {{"score.weight", head_, true}}; }
  bool trains(const std::string& parameter) const override { return parameter != "head"; }
  std::string note() const override { return note_; }

 private:
  struct Sums;
  nn::Transformer& model_;
  at::Tensor head_;
  RewardOptions reward_;
  std::vector<train::Example> sides_, held_out_;  // pair i: 2 i is chosen, 2 i + 1 rejected
  train::Batches batches_;
  std::string note_;
};

// The model comes out with a score head, and without an adapter where one was trained: it is merged.
train::TrainResult train_reward(gen::LocalModel& model, std::vector<train::Pair> pairs,
                                std::vector<train::Pair> held_out, const train::TrainOptions& options,
                                const RewardOptions& reward, const std::filesystem::path& output_dir,
                                const train::TrainHooks& hooks = {});

// Of each pair, in their order, whether a model with a score head scores the chosen side above the rejected one.
std::vector<bool> ranked_rightly(gen::LocalModel& model, std::vector<train::Pair> pairs);

}  // namespace reveille::safety
