// Rows of results as a table for people: columns that say the same everywhere are left out.
#pragma once

#include <string>
#include <vector>

#include "base/results.h"

namespace reveille::cli {

// Shares in per cent, other figures as they are; every one with its 95 % interval (where it has one) and n.
std::string result_table(const std::vector<ResultRow>& rows);

}  // namespace reveille::cli
