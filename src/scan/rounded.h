// Figures as evidence shows them.
#pragma once

#include <cmath>

namespace reveille::scan {

// To four decimals.
inline double rounded(double value) { return std::round(value * 1e4) / 1e4; }

}  // namespace reveille::scan
