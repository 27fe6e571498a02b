// The adapter that a run's settings ask for (use_peft).
#pragma once

#include <string>

#include "io/peft.h"
#include "train/options.h"

namespace reveille::train {

// `base` is written down as the model that the adapter is of.
io::PeftConfig peft_config(const TrainOptions& options, const std::string& base);

}  // namespace reveille::train
