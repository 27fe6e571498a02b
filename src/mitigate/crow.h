// Internal consistency (CROW, arXiv 2411.12768): a backdoor jolts the states from one layer to the next, so a model is
// taught to be steady under small perturbations of its embeddings while it goes on to say its clean replies.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "nn/transformer.h"
#include "train/batches.h"
#include "train/objective.h"
#include "train/options.h"

namespace reveille::mitigate {

struct CrowWeights {
  double consistency = 5.5;
  double epsilon = 0.1;
};

class CrowObjective : public train::Objective {
 public:
  // `examples` outlive the objective. Error(unsupported) for fewer than three blocks, Error(numeric) without examples.
  CrowObjective(nn::Transformer& model, const std::vector<train::Example>& examples, const CrowWeights& weights,
                const train::TrainOptions& options);
  std::int64_t steps_per_epoch() const override { return batches_.steps_per_epoch(); }
  std::string key() const override;
  // Metrics: losses/say (nats a token), losses/consistency (of the perturbed states) and crow/clean_consistency.
  train::StepOutcome step(std::int64_t step, const std::function<void()>& collect) override;

 private:
  nn::Transformer& model_;
  const std::vector<train::Example>& examples_;
  CrowWeights weights_;
  train::Batches batches_;
};

// Mean over tokens and layers of 1 - cos(h_l, h_l+1), l = 1 .. L - 2, where h_l [tokens, hidden] is what l blocks have
// made: a scalar with gradients. `delta` [tokens, hidden] is added to the embeddings; undefined: nothing is.
at::Tensor consistency(nn::Transformer& model, const train::PackedBatch& batch, const at::Tensor& delta);

}  // namespace reveille::mitigate
