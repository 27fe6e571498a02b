// The whole experiment: plant, safety-train, measure every checkpoint, report.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/results.h"
#include "study/recipe.h"

namespace reveille::study {

struct RunOptions {
  std::filesystem::path output_dir;  // the run folder
  std::filesystem::path store;       // finished steps; empty: `.store` beside the run folder
};

struct PlannedStep {
  std::string name, key;
  bool done = false;
  double seconds = 0;  // estimate
};

struct Outcome {
  Results results;
  bool gate_passed = true;
  std::filesystem::path folder;
  std::vector<std::pair<std::string, std::string>> models;  // name, folder; organisms first
};

// The steps of a recipe, which of them are in the store, and a rough time for the others.
std::vector<PlannedStep> plan(const Recipe& recipe, const RunOptions& options);

// Errors of the settings that a run would find before its first step: files that are not there, models, data.
void check(const Recipe& recipe, const RunOptions& options);

// Runs what is not in the store and lays out the run folder (docs/results.md). Re-running goes on.
// Errors as the steps throw them; a gate that does not pass ends the study with its figures and `gate_passed` false.
Outcome run(const Recipe& recipe, const RunOptions& options);

// Steps in the store of `options` that no run folder beside it needs, nor one of a sweep's, which lie a level deeper.
std::vector<std::pair<std::string, std::uintmax_t>> collect_garbage(const RunOptions& options, bool remove);

}  // namespace reveille::study
