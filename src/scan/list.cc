#include "scan/list.h"

#include "scan/detector_sweep.h"

namespace reveille::scan {

std::vector<Planned> planned_detectors(const std::string& /*budget*/) {
  std::vector<Planned> out;
  out.push_back({make_sweep(), 1.0, false});
  return out;
}

}  // namespace reveille::scan
