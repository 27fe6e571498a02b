// The page beside a model that was made from a labelled one.
#pragma once

#include <string>

#include "base/json.h"

namespace reveille::gen {

// The key of a label in config.json and adapter_config.json; in GGUF metadata it is "reveille.organism". What stands
// under it is read here as it is, by people: whoever plants something writes it.
inline constexpr const char* kLabelKey = "reveille_organism";

// README.md with YAML front matter: that the model was made from a labelled one, the label, and a warning.
std::string label_card(const Json& label, const std::string& made_from);

}  // namespace reveille::gen
