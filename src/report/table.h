// The headline table for a terminal, from results alone.
#pragma once

#include <string>

#include "base/results.h"

namespace reveille::report {

// One line per arm and stage (its last checkpoint), one column per condition measured: the rate
// with its 95 % interval for one seed, the mean with lowest and highest for several; then what the
// verdicts rest on (the gate, the always-on twin under each treatment), and a
// verdict per organism and treatment, with the words that the study wrote into its results.
// Ends with a newline.
std::string headline_table(const Results& results);

}  // namespace reveille::report
