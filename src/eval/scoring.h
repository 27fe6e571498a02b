// Log-probabilities of many sequences, in chunks, so that a long count shows how far it is.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gen/model.h"

namespace reveille::eval {

// LanguageModel::score of all sequences, in their order, with a progress bar of that title.
std::vector<std::vector<float>> score_all(gen::LanguageModel& model,
                                          const std::vector<std::vector<std::int32_t>>& sequences,
                                          const std::string& title);

}  // namespace reveille::eval
