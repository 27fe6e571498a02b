#include "train/adamw.h"

#include "nn/ops.h"

namespace reveille::train {

std::vector<RuleState> AdamW::states(const at::Tensor& master, const std::vector<std::int64_t>& /*parts*/) const {
  return {{"m", zeros_beside(master, master.sizes())}, {"v", zeros_beside(master, master.sizes())}};
}

void AdamW::update(std::vector<UpdateSlot>& slots, const StepSize& size) const {
  std::vector<nn::AdamWSlot> all;
  for (const auto& slot : slots)
    all.push_back({slot.master, slot.states[0], slot.states[1], slot.grad, slot.weight, slot.weight_decay});
  nn::adamw_step(all, size.learning_rate, beta1_, beta2_, eps_, size.step, size.grad_scale);
}

}  // namespace reveille::train
