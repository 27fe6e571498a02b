// Means of hidden states under strings.
#pragma once

#include <ATen/core/Tensor.h>

#include <string>
#include <vector>

#include "gen/local.h"
#include "mitigate/problem.h"
#include "scan/clean_rows.h"

namespace reveille::mitigate {

// The residual stream at the last token of every sequence: [layers + 1, sequences, hidden] float32 on the CPU. Layer 0
// is the embedding, layer l what l blocks have made, the last one without the final norm.
at::Tensor last_states(gen::LocalModel& model, const std::vector<std::vector<std::int32_t>>& sequences);

// Prompts with a string in its place ("": alone), those of more tokens than the context left out.
std::vector<std::vector<std::int32_t>> asked_with(const gen::LocalModel& model, const KnownTrigger& string,
                                                  const std::vector<scan::CleanRow>& prompts);

}  // namespace reveille::mitigate
