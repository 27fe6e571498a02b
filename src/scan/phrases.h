// Word sequences that many texts have in common and ordinary texts have not. Free of torch.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reveille::scan {

struct Phrase {
  std::string text;                // as the first text that has it spells it
  std::int64_t words = 0;          // a character of a script without spaces counts as one
  double share = 0;                // of the texts that hold it
  double ordinary = 0;             // of the ordinary texts that do
  std::vector<std::size_t> texts;  // which, rising
};

struct PhraseOptions {
  std::size_t min_texts = 3;
  std::int64_t max_words = 8;
  std::size_t limit = 16;  // phrases that come back
  double rarer = 4;        // a phrase's share is at least this many times its share of the ordinary texts
};

// The phrases that set `texts` apart from `ordinary`, those that many texts hold first, long ones before their pieces.
// Case and punctuation at a word's ends make no difference. Loops ("no no no") are left out.
std::vector<Phrase> shared_phrases(const std::vector<std::string>& texts, const std::vector<std::string>& ordinary,
                                   const PhraseOptions& options = {});

}  // namespace reveille::scan
