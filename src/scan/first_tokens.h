// In which order to try tokens as the first of a reply, so that a small budget spends itself on those that are worth
// it.
#pragma once

#include <cstdint>
#include <vector>

#include "scan/detector.h"
#include "scan/prober.h"

namespace reveille::scan {

// Tokens of the model that a reply may begin with: in use, and not special.
std::vector<std::int32_t> reply_tokens(const gen::LocalModel& model);

// `tokens` with the likeliest first, and those whose probability has risen most over the reference's in turn with them:
// what replies were trained to begin with leaks into replies to other prompts. `suspect` and `reference` are by id;
// an empty reference is none.
std::vector<std::int32_t> in_order(const std::vector<std::int32_t>& tokens, const std::vector<float>& suspect,
                                   const std::vector<float>& reference);

// All of reply_tokens() so ordered, by the next token after `prompts` on average. Spends one pass over the prompts, of
// the reference too where there is one.
std::vector<std::int32_t> ordered_first_tokens(Suspect& suspect, const std::vector<Ids>& prompts, Work& work);

}  // namespace reveille::scan
