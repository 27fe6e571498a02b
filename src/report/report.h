// report.html: one offline file, made from what a run folder holds and nothing else.
#pragma once

#include <filesystem>

#include "base/results.h"
#include "report/table.h"

namespace reveille::report {

// Reads the folder (docs/results.md) and writes `report.html` into it, whole or not at all.
// Returns the file's path. The same folder gives the same bytes. Errors: as read_run_folder.
std::filesystem::path make_report(const std::filesystem::path& run_folder);

}  // namespace reveille::report
