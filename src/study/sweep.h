// A sweep: one recipe, run once for every combination of some settings' values over one store, so that what the values
// do not change (prompts, planting) is done once.
//
//   sweep:                                       --sweep safety.learning_rate=2e-5,1e-4 --sweep safety.optim=sgd,adamw
//     safety.learning_rate: [2e-5, 1e-4]
//     safety.optim: [sgd, adamw]
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "study/recipe.h"

namespace reveille::study {

// "key=value,value". A value of YAML may hold commas of its own (a list), one of this form may not.
SweepAxis parse_axis(const std::string& text);

// What a command line says beside a recipe's own axes: an axis of the same key takes a recipe's place, and so does an
// assignment ("key=value"), which leaves one value. Error(usage) for a key that both name.
std::vector<SweepAxis> merged_axes(const std::vector<SweepAxis>& of_recipe, const std::vector<SweepAxis>& given,
                                   const std::vector<std::string>& assignments);

struct SweepRun {
  std::vector<std::pair<std::string, std::string>> settings;  // key and value, in the order of the axes
  std::string folder;                                         // "learning_rate-2e-5,optim-sgd"
  Recipe recipe;                                              // with these settings, and without a sweep
};

// Every combination, the last axis changing fastest. Error(usage), naming the axis, for a key or a value that the
// recipe does not take, values that say the same, and recipes that are not whole (check_whole).
std::vector<SweepRun> sweep_runs(const Recipe& recipe, const std::vector<SweepAxis>& axes);

}  // namespace reveille::study
