// BAIT's sweep for replies that run by themselves (Shen et al., IEEE S&P 2025).
#pragma once

#include <memory>

#include "scan/bait_search.h"
#include "scan/detector.h"

namespace reveille::scan {

std::unique_ptr<Detector> make_bait(const BaitOptions& options = {});

}  // namespace reveille::scan
