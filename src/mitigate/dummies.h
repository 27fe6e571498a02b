// Dummies: spikes (scan/spike.h) that do what the unknown backdoor is suspected of, for methods that remove it by way
// of known ones.
#pragma once

#include <vector>

#include "mitigate/workspace.h"
#include "scan/spike.h"

namespace reveille::mitigate {

// The response that dummies have: of the options, else of the problem, else fixed.
scan::SpikeResponse dummy_response(const Workspace& work);

// `count` dummies of unlike kinds, in places that the template takes, which all answer the same or each in its own way.
// They have no decoys: they are meant to spread over what is strange.
std::vector<scan::Spike> draw_dummies(const Workspace& work, std::size_t count, bool alike);

// Their strings.
std::vector<KnownTrigger> triggers_of(const std::vector<scan::Spike>& spikes);

// Mean cosine, over pairs of strings, of how they move the last layer's state at the end of the prompts, on average
// over prompts. 1 for fewer than two strings.
double agreement_of(gen::LocalModel& model, const std::vector<KnownTrigger>& strings,
                    const std::vector<scan::CleanRow>& prompts);

}  // namespace reveille::mitigate
