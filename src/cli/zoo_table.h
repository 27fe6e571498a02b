// A zoo's figures as tables for a terminal.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "study/zoo_plan.h"

namespace reveille::cli {

// Of study/zoo_figures.h, one set of scans. Ends with a newline.
std::string zoo_table(const std::string& set, const Json& figures);

// What would be built, a line a model.
std::string plan_table(const std::vector<study::ZooMember>& plan);

}  // namespace reveille::cli
