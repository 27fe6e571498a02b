// The files of tasks/, carried inside the program by cmake/embed.cmake, which also writes the definition.
#pragma once

#include <vector>

#include "base/asset.h"

namespace reveille::organism {

const std::vector<Asset>& task_files();

}  // namespace reveille::organism
