// Targeted latent adversarial training (Sheshadri et al., arXiv 2407.15549): for each batch of pairs a perturbation of
// the residual stream is sought under which the model says the rejected replies; then the model learns to say the
// chosen ones under it, and to go on as it does on clean rows without it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "train/batches.h"
#include "train/latent_attack.h"
#include "train/latent_options.h"
#include "train/objective.h"
#include "train/options.h"
#include "train/pairs.h"

namespace reveille::train {

class LatentObjective : public Objective {
 public:
  // `clean`: rows of the term without perturbation; empty: the chosen sides. Error(bad_input) without pairs.
  LatentObjective(nn::Transformer& model, std::vector<Pair> pairs, std::vector<Example> clean,
                  const TrainOptions& options, const LatentOptions& latent);
  std::int64_t steps_per_epoch() const override { return batches_.steps_per_epoch(); }
  std::string key() const override;
  // Metrics: losses/safe (mean -log p of the chosen replies under the perturbation), losses/away, losses/sft,
  // latent/harmful_before and latent/harmful_after (mean -log p of the rejected replies without and with it), nats a
  // token.
  StepOutcome step(std::int64_t step, const std::function<void()>& collect) override;
  std::string note() const override { return note_; }

 private:
  struct Sums;
  void learn_pairs(const std::vector<std::size_t>& which, double share, const std::function<void()>& collect,
                   Sums& sums);
  void learn_clean(const std::vector<std::size_t>& which, double share, const std::function<void()>& collect,
                   Sums& sums);
  nn::Transformer& model_;
  LatentOptions latent_;
  std::vector<std::int64_t> layers_;
  std::vector<Example> sides_, clean_;  // pair i: 2 i is chosen, 2 i + 1 rejected
  Batches batches_, clean_batches_;
  std::string note_;
};

}  // namespace reveille::train
