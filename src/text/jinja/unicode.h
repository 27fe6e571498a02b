// Python's view of text: strings are code points, stored here as valid UTF-8.
//
// Categories and simple case mappings come from utf8proc (Unicode 14, as in Python 3.11; the
// tokenizers' tables in text/unicode.h are of a newer edition); the few characters whose case
// mapping is several characters (Unicode's SpecialCasing) are a table of our own.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "text/unicode.h"

namespace reveille::text::jinja {

// Bytes of the character that starts with this lead byte.
std::size_t char_bytes(unsigned char lead);
// The character at byte `at`, which moves past it. `text` is valid UTF-8.
char32_t next_char(std::string_view text, std::size_t& at);
// The character that ends at byte `at`, which moves before it.
char32_t previous_char(std::string_view text, std::size_t& at);
// len(): number of code points.
std::size_t count_chars(std::string_view text);
// Byte offset of the code point with this index (text.size() when there are fewer).
std::size_t byte_of_char(std::string_view text, std::size_t index);

bool is_space(char32_t c);      // str.isspace
bool is_line_end(char32_t c);   // where str.splitlines cuts
bool is_printable(char32_t c);  // what repr() leaves as it is
bool is_alpha(char32_t c);
bool is_decimal(char32_t c);
bool is_numeric(char32_t c);
bool is_upper(char32_t c);
bool is_lower(char32_t c);
bool is_cased(char32_t c);
bool is_name_char(char32_t c);  // \w

std::string to_upper(std::string_view text);
std::string to_lower(std::string_view text);
std::string to_title(std::string_view text);    // str.title: each run of letters
std::string capitalize(std::string_view text);  // first character in title case, the rest lower
std::string swap_case(std::string_view text);

// Special casing (casing.cc): the upper or title form of `c` when it is several characters, else "".
std::string_view special_upper(char32_t c);
std::string_view special_title(char32_t c);

}  // namespace reveille::text::jinja
