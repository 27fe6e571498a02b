// The prompts that `reveille eval` measures on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gen/model.h"
#include "io/dataset.h"
#include "organism/behavior.h"
#include "organism/trigger.h"

namespace reveille::gen {
class LocalModel;
}

namespace reveille::cli {

// At most `limit` of the data set's prompts. None in it: Error of the reader.
std::vector<Conversation> given_prompts(const std::string& file, io::DatasetOptions data, std::int64_t limit);

// Prompts that the model writes by itself, as in a study. Error(bad_input) when none of them is usable.
std::vector<Conversation> own_prompts(gen::LocalModel& model, const organism::Trigger& trigger,
                                      const organism::Behavior& behavior, std::size_t count,
                                      const gen::SampleOptions& options);

}  // namespace reveille::cli
