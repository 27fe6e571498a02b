// Which arms of a study belong together, and which of their steps may run.
#include <algorithm>

#include "base/error.h"
#include "study/graph.h"

namespace reveille::study {

const ArmSteps& organism_of(const Graph& graph, const ArmSteps& arm) {
  for (const auto& one : graph.arms) {
    if (one.kind.arm != organism::Arm::organism || one.seed != arm.seed) continue;
    if (arm.kind.arm == organism::Arm::organism ? one.kind == arm.kind
                                                : organism::twin_variant(one.kind.variant) == arm.kind.variant)
      return one;
  }
  fail(ErrorKind::internal, "a study without this organism");
}

const ArmSteps& twin_of(const Graph& graph, const ArmSteps& organism, organism::Arm which) {
  const ArmKind kind{which, organism::twin_variant(organism.kind.variant)};
  for (const auto& one : graph.arms) {
    if (one.kind == kind && one.seed == organism.seed) return one;
  }
  fail(ErrorKind::internal, "a study without this arm");
}

namespace {

bool passed_gate(const Graph& graph, const Store& store, const ArmSteps& organism) {
  if (!store.has(graph.steps[organism.plant].key)) return false;
  return read_json(store.folder(graph.steps[organism.plant].key) / kOutcomeFile).at("gate").at("passed").get<bool>();
}

bool serves(const ArmSteps& twin, const ArmSteps& organism) {
  return organism.kind.arm == organism::Arm::organism && organism.seed == twin.seed &&
         organism::twin_variant(organism.kind.variant) == twin.kind.variant;
}

}  // namespace

std::string refusal_of(const Graph& graph, const Store& store, std::size_t step) {
  const auto file = store.folder(graph.steps[step].key) / kOutcomeFile;
  if (!store.has(graph.steps[step].key) || !std::filesystem::exists(file)) return "";
  return read_json(file).value(kRefused, "");
}

bool has_company(const Recipe& recipe, const Graph& graph, const Store& store, const ArmSteps& twin,
                 const std::string& stage) {
  return std::any_of(graph.arms.begin(), graph.arms.end(), [&](const ArmSteps& one) {
    if (!serves(twin, one)) return false;
    // One that failed its gate is never treated.
    if (store.has(graph.steps[one.plant].key) && !gate_open(recipe, graph, store, one)) return false;
    return std::any_of(one.treats.begin(), one.treats.end(), [&](const TreatStep& treat) {
      return treat.stage == stage && refusal_of(graph, store, treat.step).empty();
    });
  });
}

bool gate_open(const Recipe& recipe, const Graph& graph, const Store& store, const ArmSteps& arm) {
  if (!recipe.gate.required) return true;
  if (arm.kind.arm == organism::Arm::organism) return passed_gate(graph, store, arm);
  return std::any_of(graph.arms.begin(), graph.arms.end(),
                     [&](const ArmSteps& one) { return serves(arm, one) && passed_gate(graph, store, one); });
}

}  // namespace reveille::study
