// A scan as code-scanning services read it: SARIF 2.1.0 (OASIS), one result a finding and a note about a file, each
// with a place in the model's files.
#pragma once

#include <filesystem>
#include <string>

#include "base/json.h"

namespace reveille::report {

struct ScanSarifOptions {
  std::string weights = "model.safetensors";  // the file that findings point at: a backdoor has no other place
  std::string folder;  // put before every file's name: the model's folder within a repository; "": none
  int exit_code = 0;   // what the program ends with
};

// Of a model as it was named on the command line: a relative path is taken to lie in the repository that the command
// runs in, and is what file names begin with.
ScanSarifOptions sarif_options(const std::filesystem::path& model, int exit_code);

// `scan`: what `reveille scan --format json` writes. Errors name `where` and the key that is not as it should be.
Json scan_sarif(const Json& scan, const ScanSarifOptions& options, const std::string& where);

}  // namespace reveille::report
