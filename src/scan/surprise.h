// How unexpected strings are in plain text, as a model judges them.
#pragma once

#include <string>
#include <vector>

#include "gen/local.h"
#include "scan/work.h"

namespace reveille::scan {

// -log p of each string after everyday sentences, outside any chat template, mean in nats; for as many strings, from
// the front, as `budget` tokens and `work` allow. A model that was taught a string as a user's word is less surprised
// by it than others, but in plain text still more than by common words.
std::vector<double> surprise_of(gen::LocalModel& model, const std::vector<std::string>& strings, Work& work,
                                std::int64_t budget);

}  // namespace reveille::scan
