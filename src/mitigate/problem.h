// What is known of the backdoor that is to be removed. Free of torch.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "scan/candidate.h"
#include "scan/spike.h"

namespace reveille::mitigate {

// A string that wakes it: the user's own, or one that a scan found.
struct KnownTrigger {
  std::string text;
  scan::Place place = scan::Place::user_start;
  bool found = false;  // by a scan
  bool operator==(const KnownTrigger&) const = default;
};

struct Problem {
  std::vector<KnownTrigger> triggers;  // empty: a backdoor is only suspected
  // What is suspected of its replies; the dummies of known_dummies and reset_neurons say the same.
  std::optional<scan::SpikeResponse> response;
  std::string reply;  // such a reply, where a scan saw one that does not change
};

}  // namespace reveille::mitigate
