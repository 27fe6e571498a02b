// Which trusted model a suspect is compared with.
#pragma once

#include <string>

#include "gen/local.h"

namespace reveille::cli {

inline constexpr const char* kNoReference = "none";

// `asked` is what --base says: a model, kNoReference, or nothing; then an adapter's own base, or the built-in model that
// the suspect is of the same kind as. Empty: there is none.
std::string scan_reference(const std::string& asked, const gen::LocalModel& model);

}  // namespace reveille::cli
