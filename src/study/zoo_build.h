// Building a zoo: each model is a step of the store, so that a zoo that was stopped goes on, and none is made twice.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "study/zoo_plan.h"

namespace reveille::study {

struct ZooBuildOptions {
  std::filesystem::path output_dir;
  std::filesystem::path store;  // finished steps; empty: .store in output_dir
  std::int64_t only = 0;        // the first so many; 0: all
};

struct ZooOutcome {
  std::size_t models = 0, built = 0;  // models that are there; of them those made now
  std::vector<std::string> failed;    // "id-0003 persona-2: why": could not be made
  std::vector<std::string> closed;    // organisms that did not pass their gate: no backdoor to find
  double seconds = 0;                 // of the models built now, prompts and replies apart
};

// Lays the zoo out as study/zoo_folder.h says, and says each model's time. A model whose data or figures fail does not
// end the others; everything else does.
ZooOutcome build_zoo(const ZooRecipe& zoo, const ZooBuildOptions& options);

}  // namespace reveille::study
