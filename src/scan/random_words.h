// Ordinary words of a vocabulary, at random.
#pragma once

#include <cstdint>
#include <vector>

#include "base/rng.h"
#include "text/tokenizer.h"

namespace reveille::scan {

// Tokens that are whole words of three letters or more behind a space or at a line's start; where the vocabulary has
// fewer than 64 of them, all its tokens that are no special ones.
std::vector<std::int32_t> word_tokens(const text::Tokenizer& tokenizer);

// `count` of them, with repetition.
std::vector<std::int32_t> random_words(const std::vector<std::int32_t>& words, std::int64_t count, Rng& rng);

}  // namespace reveille::scan
