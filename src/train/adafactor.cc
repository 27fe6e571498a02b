#include "train/adafactor.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace reveille::train {
namespace {

at::Tensor root_mean_square(const at::Tensor& tensor) {
  return tensor.norm() / std::sqrt(static_cast<double>(tensor.numel()));
}

std::vector<std::int64_t> parts_of(const at::Tensor& master, const std::vector<std::int64_t>& parts) {
  return parts.empty() ? std::vector<std::int64_t>{master.size(0)} : parts;
}

}  // namespace

std::vector<RuleState> Adafactor::states(const at::Tensor& master, const std::vector<std::int64_t>& parts) const {
  const auto sizes = master.sizes();
  std::vector<RuleState> out;
  if (master.dim() < 2) {
    out.push_back({"exp_avg_sq", zeros_beside(master, sizes)});
  } else {
    std::vector<std::int64_t> columns = {static_cast<std::int64_t>(parts_of(master, parts).size())};
    columns.insert(columns.end(), sizes.begin() + 1, sizes.end());
    out.push_back({"exp_avg_sq_row", zeros_beside(master, sizes.slice(0, sizes.size() - 1))});
    out.push_back({"exp_avg_sq_col", zeros_beside(master, columns)});
  }
  if (options_.beta1 != 0) out.push_back({"exp_avg", zeros_beside(master, sizes)});
  out.push_back(reached_state(master));  // eps1 alone fills the second moments
  return out;
}

double Adafactor::learning_rate(double scheduled, std::int64_t step) const {
  if (!options_.relative_step) return scheduled;
  const auto t = static_cast<double>(step);
  return std::min(options_.warmup_init ? 1e-6 * t : 1e-2, 1 / std::sqrt(t));
}

void Adafactor::update(std::vector<UpdateSlot>& slots, const StepSize& size) const {
  at::NoGradGuard no_grad;
  for (auto& slot : slots) {
    const at::Tensor grad = scaled_gradient(slot, size);
    note_reached(slot.states.back(), grad);
    std::int64_t begin = 0, part = 0;
    for (std::int64_t rows : parts_of(slot.master, slot.parts)) {
      update_part(slot, grad.narrow(0, begin, rows), part++, begin, rows, size);
      begin += rows;
    }
    refresh_weight(slot);
  }
}

at::Tensor Adafactor::direction(const UpdateSlot& slot, const at::Tensor& grad, at::Tensor first, std::int64_t part,
                                double keep) const {
  const at::Tensor squares = grad.square().add_(options_.eps1);
  if (slot.master.dim() < 2) {
    first.mul_(keep).add_(squares, 1 - keep);
    return first.rsqrt().mul_(grad);
  }
  at::Tensor columns = slot.states[1].select(0, part);
  first.mul_(keep).add_(squares.mean(-1), 1 - keep);
  columns.mul_(keep).add_(squares.mean(-2), 1 - keep);
  const at::Tensor of_rows = (first / first.mean(-1, true)).rsqrt_().unsqueeze(-1);
  return (of_rows * columns.unsqueeze(-2).rsqrt()).mul_(grad);
}

void Adafactor::update_part(const UpdateSlot& slot, const at::Tensor& grad, std::int64_t part, std::int64_t begin,
                            std::int64_t rows, const StepSize& size) const {
  at::Tensor master = slot.master.narrow(0, begin, rows);
  double rate = size.learning_rate;
  if (options_.scale_parameter) rate *= std::max<double>(options_.eps2, root_mean_square(master).item<float>());
  const double keep = 1 - std::pow(static_cast<double>(size.step), options_.decay_rate);
  at::Tensor update = direction(slot, grad, slot.states[0].narrow(0, begin, rows), part, keep);
  update.div_((root_mean_square(update) / options_.clip_threshold).clamp_(1)).mul_(rate);
  if (options_.beta1 != 0) {
    at::Tensor average = slot.states[slot.states.size() - 2].narrow(0, begin, rows);
    update = average.mul_(options_.beta1).add_(update, 1 - options_.beta1);
  }
  if (slot.weight_decay != 0) master.mul_(1 - slot.weight_decay * rate);
  master.sub_(update);
}

}  // namespace reveille::train
