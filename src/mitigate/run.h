// What a method did, as a record. Free of torch.
#pragma once

#include <string>

#include "base/json.h"

namespace reveille::mitigate {

// What one method did.
struct MethodRun {
  std::string name, does, source;
  bool control = false;
  double seconds = 0;  // not part of what repeats
  Json done;           // Method::apply
};
Json to_json(const MethodRun& run);

}  // namespace reveille::mitigate
