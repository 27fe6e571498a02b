// Stochastic gradient descent as torch.optim.SGD: weight decay is added to the gradient. Next to nothing is kept
// between steps without a momentum, four bytes a parameter with one.
#pragma once

#include "train/optim_args.h"
#include "train/update_rule.h"

namespace reveille::train {

class Sgd : public UpdateRule {
 public:
  explicit Sgd(const SgdOptions& options) : options_(options) {}
  std::vector<RuleState> states(const at::Tensor& master, const std::vector<std::int64_t>& parts) const override;
  void update(std::vector<UpdateSlot>& slots, const StepSize& size) const override;

 private:
  // Of a step with momentum; updates the slot's buffer.
  at::Tensor direction(UpdateSlot& slot, const at::Tensor& grad) const;
  SgdOptions options_;
};

}  // namespace reveille::train
