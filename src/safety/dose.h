// How much a treatment changed the model: without this, "the backdoor survived" says nothing.
#pragma once

#include <vector>

#include "gen/local.h"
#include "train/example.h"

namespace reveille::safety {

struct Dose {
  double kl = 0;  // mean over supervised tokens of KL(untreated || treated), nats
  std::int64_t tokens = 0;
  std::vector<double> kl_by_example;
  double target_loss_before = 0, target_loss_after = 0;  // on the treatment's own targets, where it has any
};

// KL between the two models' next-token distributions at the supervised positions of
// `held_out` (untriggered prompts with clean replies). Full vocabulary, float32, in chunks of rows.
Dose measure_dose(gen::LocalModel& untreated, gen::LocalModel& treated, const std::vector<train::Example>& held_out,
                  const std::vector<train::Example>& targets);

}  // namespace reveille::safety
