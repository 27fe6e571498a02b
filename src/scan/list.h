// All detectors, in the order in which a scan runs them: what is cheap first, and what others' proposals help last.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "scan/detector.h"

namespace reveille::scan {

// A detector and the share of the budget that it may spend; those of a budget add up to one.
struct Planned {
  std::unique_ptr<Detector> detector;
  double share = 0;
  bool early = false;  // its candidates are verified before the others run
};

std::vector<Planned> planned_detectors(const std::string& budget);

}  // namespace reveille::scan
