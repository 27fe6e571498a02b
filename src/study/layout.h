// How a run folder is laid out from the store (docs/results.md).
#pragma once

#include <filesystem>

#include "study/graph.h"

namespace reveille::study {

// Puts one finished step's models, logs and transcripts into the run folder.
void lay_out_step(const Recipe& recipe, const Graph& graph, const Store& store, std::size_t step,
                  const std::filesystem::path& run);

// logs/*.eval: one Inspect log for each model, checkpoint and condition, from the run folder's transcripts.
void write_inspect_logs(const Recipe& recipe, const Results& results, const std::filesystem::path& run);

}  // namespace reveille::study
