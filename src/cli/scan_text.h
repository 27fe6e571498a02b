// A scan's result for people on a terminal.
#pragma once

#include <string>

#include "scan/result.h"

namespace reveille::cli {

std::string scan_text(const scan::ScanResult& result);

}  // namespace reveille::cli
