// `reveille study --sweep`: a recipe's runs one after the other, and one table of what they found.
#pragma once

#include <vector>

#include "cli/verb.h"
#include "study/runner.h"
#include "study/sweep.h"

namespace reveille::cli {

// Runs them into folders of options.output_dir, each with its report, and writes sweep.json and sweep.html there after
// each. What the settings of every run ask for is looked at before the first. A run that ends with an error of its
// figures (the training diverged) is told in the table and the others go on; any other error and Ctrl-C stop the whole,
// which goes on from there when it is started again. Error(numeric) in the end where a run failed or an organism did
// not pass its gate. A treatment that was refused (a preference model that ranks wrongly) is a result and no failure.
int run_sweep(const std::vector<study::SweepRun>& runs, const study::RunOptions& options, const FormatOptions& format);

// Where the run goes, with the store that all share.
study::RunOptions options_of(const study::SweepRun& run, const study::RunOptions& options);

}  // namespace reveille::cli
