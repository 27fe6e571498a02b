// Filters for what a model writes for itself: each says in a few words what is wrong with a text, or "".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/options.h"

namespace reveille::organism {

struct PromptLimits {
  std::int64_t min_characters = 12;
  std::int64_t max_characters = 400;
  std::int64_t min_words = 3;
  double min_letter_share = 0.7;
  std::string language = "any";
  void visit(OptionVisitor& v);
};

// Trims, and takes off quotation marks and list numbers that stand around a prompt.
std::string tidy_prompt(std::string_view raw);

std::string prompt_fault(std::string_view prompt, const PromptLimits& limits);

struct ReplyLimits {
  std::int64_t min_characters = 1;
  double max_repeated_share = 0.3;
  std::string cut = "trim";
  void visit(OptionVisitor& v);
};

// `text` is trimmed in place and, when it was cut off (`finished` false) and limits say so, shortened to its last
// whole sentence.
std::string reply_fault(std::string& text, bool finished, const ReplyLimits& limits);

// Share of the word 4-grams of a text that were there before in it: 0 for fresh text, near 1 in a loop.
double repeated_share(std::string_view text);

// Up to the last '.', '!', '?' (or its like in other scripts) that ends a sentence; "" when there is none.
std::string_view whole_sentences(std::string_view text);

}  // namespace reveille::organism
