#include "report/assets.h"

#include "base/error.h"

namespace reveille::report {

std::string_view asset(std::string_view name) {
  for (const Asset& candidate : assets()) {
    if (candidate.name == name) return {candidate.begin, static_cast<std::size_t>(candidate.end - candidate.begin)};
  }
  fail(ErrorKind::internal, cat("the program carries no web file '", name, "'"), "rebuild with 'make build'");
}

}  // namespace reveille::report
