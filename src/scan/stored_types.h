// In what types a model's file holds its weights; the engine computes in one type whatever the file has.
#pragma once

#include <map>
#include <string>

#include "gen/local.h"

namespace reveille::scan {

// "BF16", "Q4_1", ... by the weight's name in Hugging Face files, from the headers of the files that the model was
// opened from (an adapter: its base's). Empty where they are not there any more.
std::map<std::string, std::string> stored_types(const gen::LocalModel& model);

}  // namespace reveille::scan
