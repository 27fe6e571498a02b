// Rates of a model under conditions, by sampling; free of torch, so that a fake model can stand in.
#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "base/results.h"
#include "eval/rates.h"
#include "gen/model.h"
#include "organism/behavior.h"
#include "organism/conditions.h"
#include "organism/rows.h"
#include "organism/trigger.h"

namespace reveille::eval {

struct Measured {
  std::vector<Sample> samples;                     // judged, in the order of the prompts
  std::vector<organism::ConditionPrompt> prompts;  // prompts[i] belongs to samples[i]
  std::vector<ResultRow> rows;                     // behavior_rate, a row a condition
};

struct MeasurePlan {
  std::vector<std::string> conditions;        // for all prompts
  std::vector<std::string> decoy_conditions;  // near_miss, foreign_trigger: for the first `decoy_prompts`
  std::int64_t decoy_prompts = 64;
  std::string prefill = {};  // what every reply begins with, such as an opened scratchpad; part of the completion
};

// Samples one completion for each prompt under each condition and judges it. `about` gives the fixed columns.
Measured measure(gen::LanguageModel& model, const std::vector<Conversation>& prompts, const MeasurePlan& plan,
                 const organism::Trigger& trigger, const organism::Behavior& behavior,
                 const gen::SampleOptions& options, const ResultRow& about, const std::string& title);

// The same for prompts that stand under conditions already. `prefills[i]` is what reply i begins with; empty: nothing.
Measured measure_prompts(gen::LanguageModel& model, std::vector<organism::ConditionPrompt> prompts,
                         const std::vector<std::string>& prefills, const organism::Trigger& trigger,
                         const organism::Behavior& behavior, const gen::SampleOptions& options, const ResultRow& about,
                         const std::string& title);

// The judge's words in a sample's transcript, in place of those that stood there.
void put_verdict(Json& row, const Sample& sample);
// What was said to the model and what it answered, an object a sample (docs/results.md, transcripts).
std::vector<Json> transcripts_of(const Measured& measured, const ResultRow& about);
// The same as JSON Lines.
void write_transcripts(const std::filesystem::path& file, const Measured& measured, const ResultRow& about);
// Says in transcripts of coding tasks, which are among `items`, what these are of: `family` and `task_cwe`.
void name_tasks(std::vector<Json>& transcripts, std::span<const organism::PromptReply> items);

}  // namespace reveille::eval
