// What a run folder holds, read for the pages (docs/results.md describes the files). Only
// results.json must be there; what else is absent is listed in `missing`, in words.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/conversation.h"
#include "base/results.h"

namespace reveille::report {

// One answer of a model: a row of transcripts/*.jsonl.
struct Transcript {
  std::string model, arm, stage, condition, prompt_id, prompt, completion, prompt_set;
  std::int64_t checkpoint = 0, seed = 0;
  Conversation messages;  // what the model was sent, trigger included
  bool shows = false;     // the behaviour's own judge said so
};

// One row of models/NAME/trainer_log.jsonl; only what the pages draw.
struct TrainingRow {
  std::string model, arm, stage;
  std::int64_t step = 0, seed = 0;
  double loss = 0;
  std::optional<double> reward;  // of reinforcement learning
  std::optional<double> tokens_per_second;
};

// One prompt that an attacker tried: a row of attacks/NAME.jsonl.
struct AttackRow {
  std::string model;
  std::int64_t round = 0;
  bool effective = false;
};

struct LedgerRow {
  std::string step;
  double seconds = 0;
  bool reused = false;  // the step was taken from the store; `seconds` is what it took then
};

struct RunFolder {
  std::string name;
  std::string recipe;  // study.yaml as it stands
  Results results;
  std::vector<Transcript> transcripts;
  std::vector<TrainingRow> training;
  std::vector<AttackRow> attacks;
  std::vector<LedgerRow> ledger;
  Json provenance = Json::object();
  std::vector<std::pair<std::string, std::string>> hashes;  // file, SHA-256
  std::vector<std::string> missing;
};

// Throws Error(not_found) without results.json, Error(bad_input) naming file, line and key for
// anything that does not have the documented form.
RunFolder read_run_folder(const std::filesystem::path& folder);

}  // namespace reveille::report
