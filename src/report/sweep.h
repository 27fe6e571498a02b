// What the runs of a sweep found, side by side: when does persistence fail, and what did it take to teach?
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/results.h"

namespace reveille::report {

struct SweepPoint {
  std::vector<std::pair<std::string, std::string>> settings;  // key and value
  std::string folder;                                         // of its run, in the sweep's
  std::string failed;                                         // the error that ended the run; empty: none did
  Results results;
};

// sweep.json (docs/results.md): of every run the figures of each model's last checkpoint, its gate and its verdicts,
// each with the folder that it is of. No times, no paths.
Json sweep_to_json(const std::vector<SweepPoint>& points);

// A line for each run, organism and treatment: rates with intervals before and after, the always-on twin's rate after,
// what planting took, the verdict. Ends with a newline.
std::string sweep_table(const std::vector<SweepPoint>& points);

}  // namespace reveille::report
