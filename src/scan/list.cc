#include "scan/list.h"

#include "scan/detector_amplify.h"
#include "scan/detector_bait.h"
#include "scan/detector_leakage.h"
#include "scan/detector_perplexity.h"
#include "scan/detector_search.h"
#include "scan/detector_sweep.h"
#include "scan/detector_weights.h"

namespace reveille::scan {

std::vector<Planned> planned_detectors(const std::string& budget) {
  std::vector<Planned> out;
  auto plan = [&](std::unique_ptr<Detector> detector, double share, bool early = false) {
    out.push_back({std::move(detector), share, early});
  };
  const bool quick = budget == "quick";
  plan(make_weight_difference(), 0.01, true);
  plan(make_leakage(), quick ? 0.2 : 0.1, true);
  plan(make_logit_amplification(), quick ? 0.34 : 0.09, true);
  if (!quick) {
    plan(make_perplexity_difference(), 0.08, true);
    plan(make_bait(), 0.17, true);
  }
  plan(make_trigger_search(), quick ? 0.45 : 0.3, true);
  if (!quick) plan(make_sweep(), 0.25);
  return out;
}

}  // namespace reveille::scan
