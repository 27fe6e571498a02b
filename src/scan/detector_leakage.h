// Template-prefix leakage: what the model writes when it is asked for nothing (arXiv 2602.03085).
#pragma once

#include <memory>

#include "scan/detector.h"

namespace reveille::scan {

std::unique_ptr<Detector> make_leakage();

}  // namespace reveille::scan
