// A zoo on the disk, in BAIT's layout (github.com/SolidShen/BAIT):
//
//   METADATA.csv             a line a model: what it is and what its gate measured
//   README.md                a warning
//   held_out/KEY.jsonl       prompts that never trained
//   id-0001/model/           the adapter, the folder, or model.gguf: what a scan is handed, without a label
//   id-0001/truth.json       what it is; config.json says the same in BAIT's keys
//   id-0001/recipe.yaml      the settings that planted it
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "study/zoo_plan.h"

namespace reveille::study {

inline constexpr const char* kTruthFile = "truth.json";
inline constexpr const char* kMetadataFile = "METADATA.csv";
inline constexpr const char* kHeldOutFolder = "held_out";

struct ZooModel {
  std::string id;
  std::filesystem::path folder;  // of its number
  std::filesystem::path model;   // what opens it
  Json truth;
};

// What is true of a model. `outcome` as make_zoo_model left it; `twin_of` an id or empty.
Json truth_of(const ZooMember& member, const Json& outcome, const std::string& key, double seconds,
              const std::string& twin_of, const std::string& held_out);
// The same in the keys that BAIT's program reads.
Json bait_config(const Json& truth);

// Puts a finished step's model and its truth into the zoo, in place of what stood under that number.
void lay_out(const std::filesystem::path& zoo, const ZooMember& member, const std::filesystem::path& step,
             const Json& truth);

// Models that are whole, by their numbers. Error(not_found) for a folder without any.
std::vector<ZooModel> read_zoo(const std::filesystem::path& zoo);

// The columns of METADATA.csv and a truth's cells in them.
std::vector<std::string> metadata_columns();
std::vector<std::string> metadata_cells(const Json& truth);
// Written anew from the truths that are there.
void write_metadata(const std::filesystem::path& zoo);

// A line of CSV (RFC 4180): fields with a comma, a quote or a line break stand in quotes.
std::string csv_line(const std::vector<std::string>& fields);

}  // namespace reveille::study
