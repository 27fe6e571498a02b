// The files of recipes/, carried inside the program by cmake/embed.cmake, which also writes the definition.
#pragma once

#include <vector>

#include "base/asset.h"

namespace reveille::study {

const std::vector<Asset>& recipe_files();

}  // namespace reveille::study
