#include "train/sgd.h"

#include <ATen/ATen.h>

namespace reveille::train {

// Without a momentum one number says whether a gradient ever came, which a run that goes on must know
// (Optimizer::unmoved).
std::vector<RuleState> Sgd::states(const at::Tensor& master, const std::vector<std::int64_t>& /*parts*/) const {
  if (options_.momentum == 0) return {{"reached", zeros_beside(master, {1})}};
  return {{"momentum_buffer", zeros_beside(master, master.sizes())}};
}

void Sgd::update(std::vector<UpdateSlot>& slots, const StepSize& size) const {
  at::NoGradGuard no_grad;
  for (auto& slot : slots) {
    at::Tensor grad = scaled_gradient(slot, size);
    at::Tensor &state = slot.states[0], &master = slot.master;
    if (options_.momentum == 0) state.copy_(grad.any().logical_or(state.any()).reshape({1}));
    if (slot.weight_decay != 0) grad = grad.add(master, slot.weight_decay);
    if (options_.momentum != 0) {
      // The first buffer is the gradient itself, undampened, in torch.
      const double fresh = size.step == 1 ? 1 : 1 - options_.dampening;
      state.mul_(options_.momentum).add_(grad, fresh);
      grad = options_.nesterov ? grad.add(state, options_.momentum) : state;
    }
    master.add_(grad, -size.learning_rate);
    refresh_weight(slot);
  }
}

}  // namespace reveille::train
