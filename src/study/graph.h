// The steps of a recipe, in order, each with its key.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "study/arm_steps.h"
#include "study/recipe.h"
#include "study/step.h"
#include "study/store.h"

namespace reveille::study {

struct TreatStep {
  std::string stage;  // one of kTreatments
  std::size_t step;   // index into Graph::steps
};

struct ArmSteps {
  ArmKind kind;
  std::int64_t seed;
  std::size_t plant;  // index into Graph::steps
  std::vector<TreatStep> treats;
};

// The steps of an arm that leave a model, with their stages: "plant", then the treatments.
std::vector<TreatStep> model_steps(const ArmSteps& arm);

// A side measure of a model.
struct MeasureStep {
  std::size_t step;             // index into Graph::steps
  std::vector<std::size_t> of;  // the steps that must have left a model
  std::optional<ArmKind> kind;  // of the model's arm; none: the starting model
  std::int64_t seed;
};

struct Graph {
  std::vector<Step> steps;
  std::vector<std::size_t> base;        // measurement of the starting model, by seed
  std::optional<std::size_t> reasoned;  // reasoned replies, where a variant needs them
  std::vector<ArmSteps> arms;
  std::vector<MeasureStep> measures;
  std::vector<std::string> notes;  // what was asked for and has nothing to say here
  Json judge = nullptr;            // Behavior::judged_with
};

// `store` gives the folders that a step's work reads from; it must outlive the graph, and so must the recipe. The judge
// of code is started, since its version is in the keys: Error(not_found) where it lacks something.
Graph make_graph(const Recipe& recipe, const Store& store);

// Of `arm`'s organism, or itself: the organism of the same seed that reasons as `arm` does. Arms without a trigger
// that serve several variants stand beside the first of them.
const ArmSteps& organism_of(const Graph& graph, const ArmSteps& arm);
// The arm beside an organism.
const ArmSteps& twin_of(const Graph& graph, const ArmSteps& organism, organism::Arm which);

// Why a treatment was not begun, of a step that is done; empty for any other.
std::string refusal_of(const Graph& graph, const Store& store, std::size_t step);
// Whether a twin's treatment has an organism's to stand beside: one that was not refused, or that is still to come,
// which it never is of an organism that failed its gate.
bool has_company(const Recipe& recipe, const Graph& graph, const Store& store, const ArmSteps& twin,
                 const std::string& stage);

// Whether a treated arm may run: an organism that it belongs to passed the gate, or the gate is not required.
bool gate_open(const Recipe& recipe, const Graph& graph, const Store& store, const ArmSteps& arm);

}  // namespace reveille::study
