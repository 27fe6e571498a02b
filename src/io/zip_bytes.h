// A zip archive made in memory. Inside the room: used by the Inspect log.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace reveille::io {

// (name, content) pairs, deflated, in order; no times are stored, so equal entries give equal bytes.
std::string zip_bytes(const std::vector<std::pair<std::string, std::string>>& entries);

}  // namespace reveille::io
