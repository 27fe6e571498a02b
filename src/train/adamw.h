// AdamW (Loshchilov & Hutter, arXiv 1711.05101), as torch.optim.AdamW: eight bytes of moments a parameter.
#pragma once

#include "train/update_rule.h"

namespace reveille::train {

class AdamW : public UpdateRule {
 public:
  AdamW(double beta1, double beta2, double eps) : beta1_(beta1), beta2_(beta2), eps_(eps) {}
  std::vector<RuleState> states(const at::Tensor& master, const std::vector<std::int64_t>& parts) const override;
  void update(std::vector<UpdateSlot>& slots, const StepSize& size) const override;

 private:
  double beta1_, beta2_, eps_;
};

}  // namespace reveille::train
