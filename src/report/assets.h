// The pages' own files (web/) and the Vega bundle, carried inside the program by
// cmake/web.cmake, which also writes the definition of assets().
#pragma once

#include <string_view>
#include <vector>

#include "base/asset.h"

namespace reveille::report {

// Names are paths below web/, "report.css"; the bundle is "vega.js".
const std::vector<Asset>& assets();

// The content of one asset; asking for one that is not carried is a bug of ours: Error(internal).
std::string_view asset(std::string_view name);

}  // namespace reveille::report
