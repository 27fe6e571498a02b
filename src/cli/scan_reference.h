// Which trusted model a suspect is compared with.
#pragma once

#include <string>

#include "base/json.h"

namespace reveille::cli {

inline constexpr const char* kNoReference = "none";

// `asked` is what --base says: a model, kNoReference, or nothing; then `adapter_base`, an adapter's own base, or the
// built-in model that a suspect with this configuration is of the same kind as. Empty: there is none.
std::string scan_reference(const std::string& asked, const std::string& adapter_base, const Json& config);

}  // namespace reveille::cli
