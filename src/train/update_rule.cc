#include "train/update_rule.h"

#include <ATen/ATen.h>

#include "train/adafactor.h"
#include "train/adamw.h"
#include "train/optim_args.h"
#include "train/sgd.h"

namespace reveille::train {

std::unique_ptr<UpdateRule> make_update_rule(const TrainOptions& options) {
  check_optim(options);
  const std::string name = optim_name(options);
  if (name == "sgd") return std::make_unique<Sgd>(sgd_options(options));
  if (name == "adafactor") return std::make_unique<Adafactor>(adafactor_options(options));
  return std::make_unique<AdamW>(options.adam_beta1, options.adam_beta2, options.adam_epsilon);
}

at::Tensor scaled_gradient(const UpdateSlot& slot, const StepSize& size) {
  const at::Tensor grad = slot.grad.to(at::kFloat);
  return size.grad_scale == 1 ? grad : grad * size.grad_scale;
}

void refresh_weight(const UpdateSlot& slot) {
  at::Tensor weight = slot.weight;
  if (weight.defined()) weight.copy_(slot.master);
}

RuleState reached_state(const at::Tensor& master) { return {kReached, zeros_beside(master, {1})}; }

void note_reached(at::Tensor& reached, const at::Tensor& grad) {
  reached.copy_(grad.any().logical_or(reached.any()).reshape({1}));
}

at::Tensor zeros_beside(const at::Tensor& master, at::IntArrayRef shape) {
  return at::zeros(shape, at::TensorOptions(at::kFloat).device(master.device()));
}

}  // namespace reveille::train
