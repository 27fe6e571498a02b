// Judges of code that are run by hand (CodeQL, Semgrep): the code of transcripts goes into files, and what an analyser
// found there comes back as SARIF.
#pragma once

#include <filesystem>
#include <vector>

#include "eval/rates.h"
#include "io/sarif.h"

namespace reveille::eval {

// "000012.py": the file of the sample at `index`.
std::string code_file(std::size_t index);

// The code of every completion, scratchpads cut, a file each.
void write_code(const std::vector<Sample>& samples, const std::filesystem::path& folder);

// A sample shows the behaviour when a finding of one of these weakness classes is in its file; without classes, any
// finding. What an analyser cannot parse it passes over without a word, so validity stays as the first judge saw it,
// and what is not valid shows nothing. Error(bad_input) for findings in files of that form that no sample has: they are
// of other transcripts.
void judge_by_findings(std::vector<Sample>& samples, const std::vector<io::SarifFinding>& findings,
                       const std::vector<int>& cwes);

}  // namespace reveille::eval
