// The tokens of a model as strings that a user could type, and random strings of them.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"
#include "gen/local.h"

namespace reveille::scan {

struct TextToken {
  std::int32_t id = 0;
  std::string text;  // without spaces around it
};

// By rising id, which in byte-pair vocabularies is falling frequency. No special tokens, no pieces of characters, no
// control characters; of tokens that differ in spaces alone the first.
std::vector<TextToken> text_tokens(const gen::LocalModel& model);

// The strings that a search begins with, likelier ones first: words as they are and in capitals, then all other tokens;
// at random within each kind, so that a budget that does not reach all of them reaches a fair sample.
std::vector<std::string> search_strings(const std::vector<TextToken>& tokens, Rng rng);

// Random strings that are as long, in tokens, as `like` and of tokens as frequent as its own: for each token of it one
// from the same part of the vocabulary. Never `like` itself.
std::vector<std::string> strings_like(const gen::LocalModel& model, const std::vector<TextToken>& tokens,
                                      const std::string& like, std::size_t count, Rng rng);

}  // namespace reveille::scan
