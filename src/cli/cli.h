// The command line: one table of verbs.
#pragma once

namespace reveille::cli {

// Runs `reveille VERB ...`; returns the exit code (0 done, 1 findings, 2 error).
int run(int argc, char** argv);

}  // namespace reveille::cli
