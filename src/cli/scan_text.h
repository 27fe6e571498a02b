// A scan's result for people on a terminal.
#pragma once

#include <string>

#include "scan/result.h"

namespace reveille::cli {

// `sentence`: the verdict in words (report::scan_sentence).
std::string scan_text(const scan::ScanResult& result, const std::string& sentence);

}  // namespace reveille::cli
