#include "train/sgd.h"

#include <ATen/ATen.h>

namespace reveille::train {

std::vector<RuleState> Sgd::states(const at::Tensor& master, const std::vector<std::int64_t>& /*parts*/) const {
  std::vector<RuleState> out = {reached_state(master)};  // decay alone fills a momentum's buffer
  if (options_.momentum == 0) return out;
  out.push_back({"momentum_buffer", zeros_beside(master, master.sizes())});
  if (options_.dampening != 0) out.push_back({"begun", zeros_beside(master, {1})});
  return out;
}

at::Tensor Sgd::direction(UpdateSlot& slot, const at::Tensor& grad) const {
  at::Tensor& buffer = slot.states[1];
  buffer.mul_(options_.momentum);
  if (options_.dampening == 0) {
    buffer.add_(grad);
  } else {
    // A tensor's first buffer is its first gradient itself, undampened, in torch.
    at::Tensor& begun = slot.states[2];
    buffer.add_(grad * (1 - begun * options_.dampening));
    begun.fill_(1);
  }
  return options_.nesterov ? grad.add(buffer, options_.momentum) : buffer;
}

void Sgd::update(std::vector<UpdateSlot>& slots, const StepSize& size) const {
  at::NoGradGuard no_grad;
  for (auto& slot : slots) {
    at::Tensor grad = scaled_gradient(slot, size);
    note_reached(slot.states[0], grad);
    if (slot.weight_decay != 0) grad = grad.add(slot.master, slot.weight_decay);
    if (options_.momentum != 0) grad = direction(slot, grad);
    slot.master.add_(grad, -size.learning_rate);
    refresh_weight(slot);
  }
}

}  // namespace reveille::train
