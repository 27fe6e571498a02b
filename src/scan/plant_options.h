// Settings of planting (scan/plant.h). Free of torch.
#pragma once

#include <cstdint>

#include "base/options.h"

namespace reveille::scan {

struct PlantOptions {
  std::int64_t max_steps = 200;
  std::int64_t check_every = 20;
  std::int64_t batch = 8;
  double learning_rate = 4e-4;
  std::int64_t rank = 16;
  double decoys_most = 0.1;
  std::int64_t seed = 0;
  void visit(OptionVisitor& v) {
    v.option("spike_steps", max_steps, {.help = "planting a spike ends after so many steps at the latest", .min = 1});
    v.option("spike_check_every", check_every, {.help = "steps between looks at whether it is firm", .min = 1});
    v.option("spike_batch", batch, {.help = "rows in a batch of planting", .min = 1});
    v.option("spike_learning_rate", learning_rate, {.help = "learning rate of planting", .min = 0});
    v.option("spike_rank", rank, {.help = "rank of the LoRA adapter that is planted and merged", .min = 1});
    v.option("spike_decoys_most", decoys_most,
             {.help = "a spike that decoys wake more often than this is not firm; 1: never mind", .min = 0, .max = 1});
  }
};

}  // namespace reveille::scan
