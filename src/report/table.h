// The headline table for a terminal, from results alone.
#pragma once

#include <string>
#include <vector>

#include "base/results.h"
#include "report/findings.h"

namespace reveille::report {

// One line per arm and stage (its last checkpoint), one column per condition measured: the rate
// with its 95 % interval for one seed, the mean with lowest and highest for several; then what the
// verdicts rest on (the gate, the always-on twin under each treatment), and a
// verdict per organism and treatment, with the words that the study wrote into its results.
// Ends with a newline.
std::string headline_table(const Results& results);

// "97.1 [94.0, 98.6]" in per cent; of several seeds "97.1 (95.0 to 99.0)"; "-" of none.
std::string rate_cell(const std::vector<Measured>& seeds);

// Lines of cells in columns two spaces apart.
std::string aligned(const std::vector<std::vector<std::string>>& lines);

}  // namespace reveille::report
