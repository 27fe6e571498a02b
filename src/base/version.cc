#include "base/version.h"

#include "base/error.h"
#include "revision.h"

namespace reveille {

const char* version() { return REVEILLE_VERSION; }

const char* revision() { return REVEILLE_REVISION; }

const char* libtorch_version() { return REVEILLE_LIBTORCH; }

std::string version_line() { return cat("reveille ", version(), " (", revision(), "), libtorch ", libtorch_version()); }

}  // namespace reveille
