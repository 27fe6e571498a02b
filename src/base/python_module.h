// The Python helpers of this project (python/): how to start one as a program (base/program.h).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace reveille {

// The command that runs module `name`: with the environment and the package of the checkout that this program was
// built in, else with a python3 that has it installed.
std::vector<std::string> python_module(const std::string& name);

// The sources of module `name` in that checkout; empty where an installed one would be started.
std::filesystem::path python_sources(const std::string& name);

}  // namespace reveille
