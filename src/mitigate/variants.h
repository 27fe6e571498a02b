// Strings near a trigger: what is unlearnt with it, since a backdoor often wakes to parts and likenesses of its
// trigger. Free of torch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"
#include "mitigate/problem.h"

namespace reveille::mitigate {

// Pieces of a string: each of its words left out and each alone, or, of a single word, its two halves and thirds left
// out. Characters of several bytes stay whole.
std::vector<std::string> pieces_of(const std::string& text);

// A random string of the same shape: letters become other letters of their case, digits other digits; the rest stays.
std::string neighbour_of(const std::string& text, Rng& rng);

// At most `count` variants, none of them a trigger itself: the string in the other `places`, its pieces, neighbours,
// and itself in other cases; the kinds take turns.
std::vector<KnownTrigger> variants_of(const KnownTrigger& trigger, const std::vector<scan::Place>& places,
                                      std::size_t count, Rng rng);

}  // namespace reveille::mitigate
