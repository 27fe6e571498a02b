// Group relative policy optimisation (Shao et al., arXiv 2402.03300): several completions of each prompt, judged
// against each other, with a KL penalty to the model as it began.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "safety/options.h"
#include "safety/rounds.h"
#include "train/losses.h"
#include "train/trainer.h"

namespace reveille::safety {

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
