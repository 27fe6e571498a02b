// The relearning test: a backdoor that was only covered up comes back after a little benign training, one that was
// removed does not. A copy of the treated model is trained for a few steps, at the rate and batch of planting, and is
// then asked again by those who call this.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/options.h"
#include "gen/local.h"
#include "scan/clean_rows.h"

namespace reveille::mitigate {

struct RelearnOptions {
  std::int64_t steps = 50;
  std::int64_t batch = 8;
  double learning_rate = 4e-4;
  std::int64_t rank = 16;
  std::int64_t seed = 0;
  void visit(OptionVisitor& v) {
    v.option("relearn_steps", steps, {.help = "benign steps of the relearning test; 0: it is left out", .min = 0});
    v.option("relearn_batch", batch, {.help = "rows in a batch of it: planting's, where that is known", .min = 1});
    v.option("relearn_learning_rate", learning_rate,
             {.help = "its learning rate: planting's, where that is known", .min = 0});
    v.option("relearn_rank", rank,
             {.help = "rank of the adapter that it trains; 0: all weights are trained", .min = 0});
  }
};

struct Relearnt {
  std::unique_ptr<gen::LocalModel> model;
  std::vector<double> losses;
};

// `rows` hold no trigger. The model that is given stays as it is.
Relearnt relearn(const gen::LocalModel& treated, const std::vector<scan::CleanRow>& rows, const RelearnOptions& options,
                 const std::string& title = "relearning");

}  // namespace reveille::mitigate
