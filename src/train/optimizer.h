// The trainable tensors of a model and their updates by one of the rules (update_rule.h): float32 masters and states,
// gradients added up in float32 over micro-batches, one refresh of the compute weights a step.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <vector>

#include "nn/transformer.h"
#include "train/objective.h"
#include "train/options.h"
#include "train/update_rule.h"

namespace reveille::train {

// A tensor that is trained. `leaf` takes part in the forward pass; `master` is its float32
// original (the same tensor when the leaf is float32).
struct Trainable {
  std::string name;
  at::Tensor leaf, master;
  std::vector<RuleState> states;
  std::vector<std::int64_t> parts;  // as UpdateSlot's
  bool decay = false;
  bool extra = false;     // an objective's own tensor
  bool in_model = false;  // of an extra: a model's folder holds it
};

class Optimizer {
 public:
  // Collects what is trained: every parameter that the objective trains, or only the LoRA pieces when there are any,
  // and then the objective's extras. Creates masters where they are missing and marks the leaves as requiring
  // gradients.
  Optimizer(nn::Transformer& model, const TrainOptions& options, Objective& objective);
  ~Optimizer();  // the leaves stop requiring gradients
  Optimizer(const Optimizer&) = delete;
  Optimizer& operator=(const Optimizer&) = delete;

  // After each backward pass of a micro-batch: moves the leaves' gradients into the sums.
  void collect();
  // Clips, updates, refreshes, clears. Returns the gradient norm before clipping.
  // Error(numeric) when the norm is not a number.
  double step(double learning_rate, std::int64_t step_number);

  std::vector<Trainable>& trainables() { return trainables_; }
  // What a step goes by for which the schedule says `scheduled`.
  double learning_rate(double scheduled, std::int64_t step_number) const {
    return rule_->learning_rate(scheduled, step_number);
  }
  // After a checkpoint was loaded into the trainables: what its steps have moved counts as moved.
  void resumed();
  // Every trainable whose weights are what they were: no gradient reached it, or no step was large enough to change
  // it. Of a LoRA pair one is enough, since A has no gradient while B is zero.
  std::vector<std::string> unmoved() const;

 private:
  // An element of a trainable, the one with the largest gradient when it first had one, and its value then.
  struct Probe {
    std::int64_t element = -1;
    float value = 0;
    bool moved_before = false;  // in an earlier run
  };
  void add(std::string name, at::Tensor& leaf, at::Tensor& master, bool decay, std::vector<std::int64_t> parts = {});
  void add_extra(const ExtraParam& extra);
  void probe(std::size_t index, const at::Tensor& grad);
  bool moved(std::size_t index) const;
  nn::Transformer& model_;
  const TrainOptions& options_;
  std::unique_ptr<UpdateRule> rule_;
  std::vector<Trainable> trainables_;
  std::vector<at::Tensor> sums_;  // float32, only when there is more than one micro-batch
  std::vector<Probe> probes_;     // one a trainable
};

}  // namespace reveille::train
