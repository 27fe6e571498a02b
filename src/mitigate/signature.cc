#include "mitigate/signature.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "gen/save.h"
#include "scan/placing.h"
#include "scan/plant.h"
#include "train/lora.h"
#include "train/sft.h"

namespace reveille::mitigate {
namespace {

// What `changes` adds to a weight [rows, in].
at::Tensor whole_change(const Changes& changes, const std::string& parameter, std::int64_t rows, std::int64_t in) {
  at::Tensor out = at::zeros({rows, in}, at::kFloat);
  const auto found = changes.find(parameter);
  if (found == changes.end()) return out;
  for (const auto& piece : found->second) {
    const at::Tensor change = at::matmul(piece.b.detach(), piece.a.detach()).to(at::kCPU, at::kFloat);
    out.narrow(0, piece.row_begin, piece.rows).add_(change, piece.scale);
  }
  return out;
}

// The same training as planting's, of as many steps, on clean rows alone.
Changes twin_of(Workspace& work, const scan::PlantOptions& plant, std::int64_t steps) {
  auto twin = work.model().copy(true);
  if (twin->adapter()) gen::merge_lora(*twin);
  auto training = scan::planting_training(plant);
  training.max_steps = steps;
  training.eval_steps = 0;
  twin->add_lora(train::peft_config(training, twin->source()), plant.seed);
  train::TrainHooks hooks;
  hooks.title = "training a clean twin";
  train::train(twin->transformer(), work.clean().examples, training, {}, hooks);
  return twin->transformer().params().lora;
}

}  // namespace

std::vector<PlantedChange> planted_changes(Workspace& work, const std::vector<scan::Spike>& dummies, Json& plantings) {
  std::vector<PlantedChange> out;
  for (const auto& dummy : dummies) {
    scan::PlantOptions plant = work.options().plant;
    plant.seed = work.options().seed + std::ssize(out);
    auto planted = scan::plant(work.model(), {dummy}, work.rows(), plant, true);
    plantings.push_back({{"spike", scan::to_json(dummy)},
                         {"steps", planted.planting.steps},
                         {"loss", planted.planting.losses},
                         {"firm", planted.planting.firm}});
    out.push_back({planted.model->transformer().params().lora, twin_of(work, plant, planted.planting.steps)});
  }
  return out;
}

at::Tensor neuron_changes(const gen::LocalModel& model, const PlantedChange& change, std::int64_t layer) {
  const auto& config = model.transformer().config();
  const std::string name = cat("layers.", layer, ".gate_up");
  const std::int64_t rows = config.intermediate * (config.gated_mlp ? 2 : 1);
  at::Tensor changed =
      whole_change(change.planted, name, rows, config.hidden) - whole_change(change.twin, name, rows, config.hidden);
  if (!config.gated_mlp) return changed;
  return at::cat(
      {changed.narrow(0, 0, config.intermediate), changed.narrow(0, config.intermediate, config.intermediate)}, 1);
}

std::pair<at::Tensor, at::Tensor> norm_and_agreement(const at::Tensor& changes) {
  const at::Tensor all = changes.to(at::kDouble);
  const at::Tensor norms = all.norm(2, {2});  // [copies, intermediate]
  at::Tensor agreement = at::zeros({all.size(1)}, at::kDouble);
  std::int64_t pairs = 0;
  for (std::int64_t i = 0; i < all.size(0); ++i) {
    for (std::int64_t k = i + 1; k < all.size(0); ++k, ++pairs) {
      const at::Tensor lengths = (norms[i] * norms[k]).clamp_min(1e-30);
      agreement += ((all[i] * all[k]).sum(1) / lengths).clamp_min(0);
    }
  }
  if (pairs > 0) agreement = agreement / static_cast<double>(pairs);
  return {norms.mean(0), agreement};
}

}  // namespace reveille::mitigate
