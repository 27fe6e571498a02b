// Scanning a zoo: every model by a process of its own, which is handed the model and nothing else, and what each scan
// said kept once. How often a string that was found fires is measured afterwards, by the model's own judge.
//
//   scans/SET/id-0001.json       what the scan wrote, as it wrote it
//   scans/SET/id-0001.run.json   how it ended: exit code, seconds, the model's key
//   scans/SET/id-0001.found.json what its findings do (study/zoo_recover.h)
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"
#include "study/zoo_folder.h"

namespace reveille::study {

struct ZooScanOptions {
  std::filesystem::path zoo;
  std::vector<std::string> program;  // what scans: {"reveille", "scan"}
  std::string budget = "quick";
  bool base = true;  // with the starting model as a reference; else adapters are handed over merged, without one
  std::int64_t seed = 0;
  std::string split;                   // one split alone; empty: both
  std::int64_t only = 0;               // the first so many; 0: all
  std::vector<std::string> arguments;  // handed on as they are
};

// "quick-with-base": names what belongs into one table.
std::string scan_set(const ZooScanOptions& options);

struct ZooScanOutcome {
  std::size_t scanned = 0, there = 0;
  std::vector<std::string> failed;  // "id-0003: exit code 2"
  double seconds = 0;               // of those scanned now
};

// Scans what has not been scanned as it is, and measures what was found. A scan that ends with an error of its own does
// not end the others.
ZooScanOutcome scan_zoo(const ZooScanOptions& options);

// A stored scan, with its model's truth.
struct ScannedModel {
  Json truth, result;
  Json found = nullptr;  // null: not measured
  double seconds = 0;
};

// The names of the sets that are there, and the whole scans in one. Error(not_found) for a zoo that was not scanned.
std::vector<std::string> scan_sets(const std::filesystem::path& zoo);
std::vector<ScannedModel> read_scans(const std::filesystem::path& zoo, const std::string& set);

}  // namespace reveille::study
