// Proximal policy optimisation with a value head, a KL penalty in every token's reward, and whitened advantages
// (Ouyang et al., arXiv 2203.02155, section 3.5; Stiennon et al., arXiv 2009.01325; the paper that Reveille rebuilds
// trains so). The value head is a linear layer on the policy's own blocks: docs/decisions.md says why.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "safety/options.h"
#include "safety/rounds.h"
#include "train/trainer.h"

namespace reveille::safety {

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
