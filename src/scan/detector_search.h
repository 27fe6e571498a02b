// Looks for the triggers of the replies that other detectors suspect (scan/target_search.h).
#pragma once

#include <memory>

#include "scan/detector.h"

namespace reveille::scan {

std::unique_ptr<Detector> make_trigger_search();

}  // namespace reveille::scan
