// User turns that a suspect writes by itself, more and more unlike what its reference would write: where a model was
// trained on whole conversations, it may write its trigger (arXiv 2602.03085 lets it write unaided).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "scan/detector.h"

namespace reveille::scan {

// The stretch [begin, end) of a text's tokens with the largest sum of (log p suspect - log p reference - margin), and
// that sum without the margins, in nats. Empty where no token exceeds the margin.
struct ExcessSpan {
  std::size_t begin = 0, end = 0;
  double excess = 0;
};
ExcessSpan largest_excess(const std::vector<float>& suspect, const std::vector<float>& reference, double margin = 1);

// What amplified_turns spends at most for each of its `turns`.
std::int64_t amplified_turn_cost(const std::vector<std::int32_t>& prefix);

struct AmplifiedTurns {
  std::vector<Candidate> candidates;  // triggers; strength: share of turns, less where the excess is below 20 nats
  std::size_t written = 0;            // turns, over all strengths of amplification
};

// Goes on from `prefix` as the user `turns` times at each of three strengths of amplification. Candidates are what the
// stretches of largest excess share and the reference's own turns have not, then single stretches: `limit` in all.
AmplifiedTurns amplified_turns(Suspect& suspect, Work& work, const std::vector<std::int32_t>& prefix,
                               std::int64_t turns, const std::string& detector, std::size_t limit = 8);

}  // namespace reveille::scan
