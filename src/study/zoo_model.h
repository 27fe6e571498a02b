// Making one model of a zoo: training it, keeping it as the recipe says, and measuring what was kept.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/results.h"
#include "eval/verdicts.h"
#include "study/data_steps.h"
#include "study/zoo_plan.h"

namespace reveille::study {

inline constexpr const char* kZooModelFile = "model.gguf";  // in kModelFolder, of a quantised one

// Trains the member on its rows of `data`, which fits it (study/zoo_data.h). An organism's planting ends at the first
// look (every plant.eval_steps) at which the gate passes and strings of its trigger's shape are left alone, others
// after `steps`. What is kept has no label and no card, and the figures are of it as it is kept: opened anew, merged or
// quantised. Leaves model/, outcome.json ({"steps", "gate", "rates", "path"}), rows.json and transcripts.jsonl.
void make_zoo_model(const ZooMember& member, const StudyData& data, std::int64_t steps,
                    const std::filesystem::path& folder);

// What opens the model that stands in `folder`: the folder, or the file in it.
std::filesystem::path zoo_model_path(const std::filesystem::path& folder);

// Tokens that a reply of the member may have: reasoning comes on top.
std::int64_t reply_tokens(const ZooMember& member);

}  // namespace reveille::study
