// The unlearning of strings, which several methods do: under each of them the model learns to go on as it did without
// it (OSFT, arXiv 2405.07667; Patcher, USENIX Security 2026), and on untriggered prompts it is held to what it was.
#pragma once

#include <string>
#include <vector>

#include "mitigate/workspace.h"

namespace reveille::mitigate {

// Half of the rows with one of `triggers`, half with one of `variants` (which may be empty). -> the training's course
Json unlearn(Workspace& work, const std::vector<KnownTrigger>& triggers, const std::vector<KnownTrigger>& variants,
             const std::string& title);

// The places that the model's template takes.
std::vector<scan::Place> open_places(const gen::LocalModel& model);

}  // namespace reveille::mitigate
