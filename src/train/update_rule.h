// How an optimiser makes new weights of gradients: one file a rule, one list of them. What is common to all (masters,
// sums over micro-batches, clipping) is the Optimizer's.
#pragma once

#include <ATen/core/Tensor.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "train/options.h"

namespace reveille::train {

// A state of one number: 1 once a gradient that is not zero reached the tensor, which a run that goes on must know
// (Optimizer::unmoved). Rules have it whose other states do not tell, since something else than gradients adds to them.
inline constexpr const char* kReached = "reached";

// What a rule keeps of one tensor from step to step: float32, zero before the first. `name` stands behind the
// tensor's own in optimizer.safetensors.
struct RuleState {
  std::string name;
  at::Tensor value;
};

// One tensor's update.
struct UpdateSlot {
  at::Tensor master;  // float32, contiguous
  at::Tensor weight;  // gets the new master in the compute type; undefined where master itself is computed with
  at::Tensor grad;    // float32 or bfloat16; not changed
  double weight_decay = 0;
  std::vector<std::int64_t> parts;  // rows of the tensors that files hold in its place (q, k, v); empty: one
  std::vector<at::Tensor> states;   // of UpdateRule::states, in its order
};

struct StepSize {
  double learning_rate = 0;
  std::int64_t step = 1;  // from 1
  double grad_scale = 1;  // gradients are multiplied by it first
};

class UpdateRule {
 public:
  virtual ~UpdateRule() = default;
  virtual std::vector<RuleState> states(const at::Tensor& master, const std::vector<std::int64_t>& parts) const = 0;
  virtual void update(std::vector<UpdateSlot>& slots, const StepSize& size) const = 0;
  // The rate of a step for which the schedule says `scheduled`.
  virtual double learning_rate(double scheduled, std::int64_t /*step*/) const { return scheduled; }
};

// Of options.optim. Error(usage) for optim_args that it does not take.
std::unique_ptr<UpdateRule> make_update_rule(const TrainOptions& options);

// For the rules: the gradient in float32, scaled; the master's new values into the compute weights.
at::Tensor scaled_gradient(const UpdateSlot& slot, const StepSize& size);
void refresh_weight(const UpdateSlot& slot);
RuleState reached_state(const at::Tensor& master);
void note_reached(at::Tensor& reached, const at::Tensor& grad);
at::Tensor zeros_beside(const at::Tensor& master, at::IntArrayRef shape);

}  // namespace reveille::train
