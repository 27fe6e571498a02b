// What this program was built from.
#pragma once

#include <string>

namespace reveille {

const char* version();   // the project's, such as "0.1.0"
const char* revision();  // git's short hash, "-modified" after it when tracked files differed; "unknown" without git
const char* libtorch_version();  // of the headers that it was compiled against, such as "2.13.0"

// "reveille 0.1.0 (3f2a9c1b7d42), libtorch 2.13.0"
std::string version_line();

}  // namespace reveille
