// The relearning test: a backdoor that was only covered up comes back after a little benign training, one that was
// removed does not. A copy of the treated model is trained for a few steps, at the rate and batch of planting, and is
// then asked again by those who call this.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "gen/local.h"
#include "mitigate/options.h"
#include "scan/clean_rows.h"

namespace reveille::mitigate {

struct Relearnt {
  std::unique_ptr<gen::LocalModel> model;
  std::vector<double> losses;
};

// `rows` hold no trigger. The model that is given stays as it is.
Relearnt relearn(const gen::LocalModel& treated, const std::vector<scan::CleanRow>& rows, const RelearnOptions& options,
                 const std::string& title = "relearning");

}  // namespace reveille::mitigate
