// For measures that look into a model and not only at what it says.
#pragma once

#include <string>

#include "gen/local.h"

namespace reveille::eval {

// Error(unsupported) that names the measure where the model does not run in this process.
gen::LocalModel& with_weights(gen::LanguageModel& model, const std::string& measure);

}  // namespace reveille::eval
