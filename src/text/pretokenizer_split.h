// Cutting words at matches: the five behaviours of tokenizer.json.
#pragma once

#include <string>
#include <vector>

#include "text/normalizer.h"

namespace reveille::text {

enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

SplitBehavior split_behavior(const std::string& name, const std::string& where);

// Cuts the word `word` at `matches` (ranges within the text, in order, inside the word) and appends
// what results. `invert` swaps matches and what stands between them.
void split_word(Span word, const std::vector<Span>& matches, SplitBehavior behavior, bool invert,
                std::vector<Span>& out);

}  // namespace reveille::text
