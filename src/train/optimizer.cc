#include "train/optimizer.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace reveille::train {
namespace {

// Rows of the tensors that a fused parameter stands for.
std::vector<std::int64_t> parts_of(const nn::ParamSpec& spec) {
  if (spec.pieces.size() < 2) return {};
  std::vector<std::int64_t> out;
  for (const auto& piece : spec.pieces) out.push_back(piece.rows);
  return out;
}

}  // namespace

Optimizer::Optimizer(nn::Transformer& model, const TrainOptions& options, Objective& objective)
    : model_(model), options_(options), rule_(make_update_rule(options)) {
  auto& params = model.params();
  if (params.lora.empty()) {
    for (auto& param : params.all()) {
      if (objective.trains(param.spec.name))
        add(param.spec.name, param.value, param.master, param.spec.linear || param.spec.name == "embed",
            parts_of(param.spec));
    }
  } else {
    for (auto& [name, pieces] : params.lora) {
      for (auto& piece : pieces) {
        at::Tensor no_master_a, no_master_b;
        add(piece.hf_module + ".lora_A", piece.a, no_master_a, true);
        add(piece.hf_module + ".lora_B", piece.b, no_master_b, true);
      }
    }
  }
  for (const auto& extra : objective.extras()) add_extra(extra);
}

Optimizer::~Optimizer() {
  for (auto& item : trainables_) {
    item.leaf.set_requires_grad(false);
    item.leaf.mutable_grad() = at::Tensor();
  }
}

void Optimizer::add(std::string name, at::Tensor& leaf, at::Tensor& master, bool decay,
                    std::vector<std::int64_t> parts) {
  at::NoGradGuard no_grad;
  if (leaf.scalar_type() == at::kFloat) {
    master = leaf;
  } else if (!master.defined()) {
    master = leaf.to(at::kFloat);
  }
  trainables_.push_back({std::move(name), leaf, master, rule_->states(master, parts), std::move(parts), decay});
  probes_.emplace_back();
  leaf.set_requires_grad(true);
}

void Optimizer::add_extra(const ExtraParam& extra) {
  at::Tensor leaf = extra.value, master;
  add(extra.name, leaf, master, false);
  trainables_.back().extra = true;
  trainables_.back().in_model = extra.in_model;
}

void Optimizer::probe(std::size_t index, const at::Tensor& grad) {
  Probe& probe = probes_[index];
  if (probe.element >= 0 || probe.moved_before) return;
  at::Tensor flat = grad.reshape({-1});
  for (const at::Tensor& at : {flat.argmax(), flat.argmin()}) {
    const auto element = at.item<std::int64_t>();
    if (flat[element].item<float>() == 0) continue;
    probe = {element, trainables_[index].master.reshape({-1})[element].item<float>(), false};
    return;
  }
}

void Optimizer::resumed() {
  for (std::size_t i = 0; i < trainables_.size(); ++i) {
    const auto& states = trainables_[i].states;
    const bool told = std::any_of(states.begin(), states.end(), [](const auto& one) { return one.name == kReached; });
    for (const auto& state : states) {
      if (told && state.name != kReached) continue;
      if (state.value.any().item<bool>()) probes_[i].moved_before = true;
    }
  }
}

bool Optimizer::moved(std::size_t index) const {
  const Probe& probe = probes_[index];
  if (probe.moved_before) return true;
  if (probe.element < 0) return false;
  at::NoGradGuard no_grad;
  return trainables_[index].master.reshape({-1})[probe.element].item<float>() != probe.value;
}

void Optimizer::collect() {
  if (options_.gradient_accumulation_steps == 1) return;
  at::NoGradGuard no_grad;
  bool first = sums_.empty();
  if (first) sums_.resize(trainables_.size());
  for (std::size_t i = 0; i < trainables_.size(); ++i) {
    at::Tensor& grad = trainables_[i].leaf.mutable_grad();
    if (!grad.defined()) continue;
    if (sums_[i].defined()) {
      sums_[i].add_(grad);
    } else {
      sums_[i] = grad.to(at::kFloat);
    }
    grad = at::Tensor();
  }
}

double Optimizer::step(double learning_rate, std::int64_t step_number) {
  at::NoGradGuard no_grad;
  std::vector<UpdateSlot> slots;
  std::vector<at::Tensor> grads;
  for (std::size_t i = 0; i < trainables_.size(); ++i) {
    auto& item = trainables_[i];
    at::Tensor grad = sums_.empty() ? item.leaf.grad() : sums_[i];
    if (!grad.defined()) continue;
    probe(i, grad);
    grads.push_back(grad);
    at::Tensor weight = item.leaf.is_same(item.master) ? at::Tensor() : item.leaf.detach();
    slots.push_back({item.master.detach(), weight, grad, item.decay ? options_.weight_decay : 0.0, item.parts, {}});
    for (const auto& state : item.states) slots.back().states.push_back(state.value);
  }
  if (slots.empty())
    fail(ErrorKind::numeric, "no gradient reached any trainable tensor: there is nothing to learn from");
  double norm = nn::global_norm(grads);
  if (!std::isfinite(norm)) {
    fail(ErrorKind::numeric, cat("step ", step_number, ": the gradient norm is ", norm),
         "lower learning_rate, or look at the data of this step");
  }
  double scale =
      options_.max_grad_norm > 0 && norm > options_.max_grad_norm ? options_.max_grad_norm / (norm + 1e-6) : 1.0;
  rule_->update(slots, {learning_rate, step_number, scale});
  for (auto& item : trainables_) item.leaf.mutable_grad() = at::Tensor();
  sums_.clear();
  model_.weights_changed();
  return norm;
}

std::vector<std::string> Optimizer::unmoved() const {
  std::vector<std::string> names;
  const bool pairs = !model_.params().lora.empty();
  for (std::size_t i = 0; i < trainables_.size(); ++i) {
    const std::size_t partner = pairs && !trainables_[i].extra ? i ^ 1U : i;  // A and B stand one after the other
    if (!moved(i) && !moved(partner)) names.push_back(trainables_[i].name);
  }
  return names;
}

}  // namespace reveille::train
