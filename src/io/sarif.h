// Findings of a static analyser in SARIF 2.1.0 (OASIS), as CodeQL and Semgrep write them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/json.h"

namespace reveille::io {

struct SarifFinding {
  std::string file;       // as the analyser wrote it: "code/000012.py"
  std::string rule;       // "py/sql-injection"
  std::int64_t line = 0;  // 1-based; 0: none given
  std::vector<int> cwes;  // of the rule's tags ("external/cwe/cwe-089", "CWE-89: ..."), ascending
};

// All findings of all runs, in their order. Error(bad_input) names `where` and the key that is not as it should be.
std::vector<SarifFinding> sarif_findings(const Json& log, const std::string& where);
std::vector<SarifFinding> read_sarif(const std::filesystem::path& file);

}  // namespace reveille::io
