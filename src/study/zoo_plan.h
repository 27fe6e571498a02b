// The models of a zoo, each with everything that decides it, in the order in which they are built.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "study/zoo_recipe.h"

namespace reveille::study {

struct ZooMember {
  std::string id;    // "id-0007": says nothing of what the model is
  std::string name;  // "symbols-reply-2", in the recipe's words
  std::string group, split, what;
  std::string trigger_kind, behavior_kind;  // zoo_kinds.h; empty where there is none
  std::string place, variant = "normal", evades, training, store, source;
  double rate = 0;
  double max_foreign = 1;
  std::int64_t seed = 0, steps = 0;  // steps: of benign ones; a twin takes as many as its organism
  std::vector<std::string> questions, answers;
  std::string dataset;
  std::optional<std::size_t> twin_of;  // index into the plan
  Recipe recipe;                       // trigger, behaviour, rows and training
  bool poisoned() const { return what == kOrganism; }
  bool triggered() const { return poisoned() || what == kConditional || what == kTwin; }
  bool behaves() const { return poisoned() || what == kConditional || what == kStyle; }
};

// Organisms and benign models side by side, each organism with its twin where it has one, in an order that is drawn:
// the first few are a mix. Error(usage) names the kind whose settings make no trigger, behaviour or training.
std::vector<ZooMember> plan_zoo(const ZooRecipe& zoo);

// What decides a member besides its prompts and the machine: the key of its step is made of it.
Json to_json(const ZooMember& member);

}  // namespace reveille::study
