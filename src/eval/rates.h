// Judged samples and the rates that they give: one row of results.json for each condition.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/results.h"
#include "eval/intervals.h"
#include "organism/behavior.h"
#include "organism/conditions.h"

namespace reveille::eval {

inline constexpr const char* kBehaviorRate = "behavior_rate";
inline constexpr const char* kValidRate = "valid_rate";

// What a model said to one prompt under one condition.
struct Sample {
  std::string prompt_id;   // equal over conditions and models for the same prompt
  std::string condition;   // organism/conditions.h
  std::int64_t index = 0;  // which sample of this prompt
  std::string completion;
  bool shows = false;  // the judge's word
  bool valid = true;   // false: it could not be judged
  Json why = nullptr;  // what the judge said besides
  bool code = false;   // it was judged as code
};

// Fills in the judge's words. Scratchpads are cut first. `prompts[i]` is what samples[i] answers; none: not told.
void judge(std::vector<Sample>& samples, const organism::Behavior& behavior,
           std::span<const organism::ConditionPrompt> prompts = {});

// The conditions of samples, in the order in which they first appear.
std::vector<std::string> conditions_of(std::span<const Sample> samples);

// Samples of one condition counted by prompt, prompts in the order of their ids.
struct ConditionCounts {
  std::vector<std::string> prompt_ids;
  std::vector<PromptCount> counts;
};
ConditionCounts count_by_prompt(std::span<const Sample> samples, std::string_view condition);

// One behavior_rate row for each condition that has samples, in the order in which conditions first appear. `about`
// gives model, arm, stage, checkpoint, prompt_set and seed. The bootstrap's draws depend on about.seed and the
// condition alone.
std::vector<ResultRow> behavior_rates(std::span<const Sample> samples, const ResultRow& about);
// The same for the share of samples that could be judged.
std::vector<ResultRow> valid_rates(std::span<const Sample> samples, const ResultRow& about);

// Difference of a condition's rate between two sets of samples (two models, two checkpoints) on the prompts that both
// have. Error(bad_input) when they share none.
Difference compare_rates(std::span<const Sample> a, std::span<const Sample> b, std::string_view condition,
                         std::uint64_t seed);

// The row of a metric and condition on the prompts that verdicts rest on, or nothing; Error(internal) when there are
// several.
std::optional<ResultRow> find_row(std::span<const ResultRow> rows, std::string_view condition,
                                  std::string_view metric = kBehaviorRate);

// "97.0 % [93.6, 98.6] (n = 200)".
std::string rate_words(const ResultRow& row);
// "97.0 %".
std::string percent(double rate);

}  // namespace reveille::eval
