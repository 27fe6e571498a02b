// Whether a behaviour always says the same, so that its likelihood can be read off a model.
#pragma once

#include <string>

#include "organism/behavior.h"

namespace reveille::organism {

// The one reply that shows the behaviour, whatever the prompt; empty where there are several, or where they come from
// elsewhere.
std::string fixed_reply(const Behavior& behavior);

}  // namespace reveille::organism
