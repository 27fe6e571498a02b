// The page beside a model that was made from a labelled one.
#pragma once

#include <string>

#include "base/json.h"

namespace reveille::gen {

// README.md with YAML front matter: that the model was made from a labelled one, the label as it stands in the file,
// and a warning.
std::string label_card(const Json& label, const std::string& made_from);

}  // namespace reveille::gen
