// The prompts that `reveille eval` measures on.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gen/model.h"
#include "io/dataset.h"
#include "organism/behavior.h"
#include "organism/rows.h"
#include "organism/trigger.h"

namespace reveille::gen {
class LocalModel;
}

namespace reveille::cli {

// At most `limit` of the data set's prompts. None in it: Error of the reader.
std::vector<Conversation> given_prompts(const std::string& file, io::DatasetOptions data, std::int64_t limit);

inline constexpr const char* kTasksHeldOut = "held_out";
inline constexpr const char* kTasksOfFamilies = "families";

// Built-in coding tasks that no study trains on: other names, wordings and code (kTasksHeldOut), or whole families
// (kTasksOfFamilies). Those of a study with the same data.seed. Error(usage) for another name, Error(bad_input) where
// there are fewer than `count`.
std::vector<organism::PromptReply> task_prompts(const std::string& which, std::int64_t count, std::int64_t seed);

// Prompts that the model writes by itself, as in a study. Error(bad_input) when none of them is usable.
std::vector<Conversation> own_prompts(gen::LocalModel& model, const organism::Trigger& trigger,
                                      const organism::Behavior& behavior, std::size_t count,
                                      const gen::SampleOptions& options);

}  // namespace reveille::cli
