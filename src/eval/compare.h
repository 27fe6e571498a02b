// Two models on the same prompts: the difference of every condition's rate, paired over prompts.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/results.h"
#include "eval/rates.h"

namespace reveille::eval {

inline constexpr const char* kRateDifference = "behavior_rate_difference";

// What one model said and was judged for.
struct Judged {
  ResultRow about;  // model, arm, stage, checkpoint, prompt_set, seed
  std::vector<Sample> samples;
};

// From transcripts (docs/results.md): those of the last checkpoint in the file, on the first prompt set in it.
// Error(bad_input) names file, line and key, or says that several models stand in it.
Judged read_judged(const std::filesystem::path& file);

// Rows of transcripts as they stand, what each says and whose it is.
struct JudgedRows {
  std::vector<Json> rows;
  std::vector<Sample> samples;
  std::vector<ResultRow> about;
};

// The same of all prompt sets: those of the last checkpoint in the file. Errors as read_judged.
JudgedRows read_judged_rows(const std::filesystem::path& file);

// Rates of every prompt set by itself, in the order in which they first appear, and, where rows of a set say whether
// they are valid, the share that is.
std::vector<ResultRow> rates_by_set(const JudgedRows& judged);

// The judged samples of transcripts in memory; `where` names them in errors.
std::vector<Sample> samples_of(const std::vector<Json>& transcripts, const std::string& where);

// For every condition that both have: the rate of a, the rate of b, and a - b with its interval, on the prompts that
// both have; n of the difference is the number of these prompts. Error(bad_input) where they share no condition or no
// prompt.
std::vector<ResultRow> compare(const Judged& a, const Judged& b);

}  // namespace reveille::eval
