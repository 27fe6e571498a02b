// Looking at the texts that a model's files hold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::scan {

// Words of two letters and more outside of markup (<...>, [INST]), but for the names of roles: what a template says,
// and not how it marks turns. Two characters of a script without spaces count as a word.
std::vector<std::string> prose_words(std::string_view text);

// In quotation marks, shortened, with line ends and characters that cannot be seen written out.
std::string in_quotes(std::string_view text, std::size_t most_bytes = 160);

// Where a character stands that cannot be seen but is read: of zero width, that turns the direction of writing, or of
// the tags block. npos: there is none. `text` is valid UTF-8.
std::size_t hidden_character(std::string_view text);

// The line, from 1, of byte `at`; of the first `needle` (0: there is none); of a key of a JSON text, wherever it
// stands in it.
std::int64_t line_at(std::string_view text, std::size_t at);
std::int64_t line_of(std::string_view text, std::string_view needle);
std::int64_t line_of_key(std::string_view json, std::string_view key);

// "a", "b", "c" and 4 more.
std::string some_of(const std::vector<std::string>& texts, std::size_t most = 6);

}  // namespace reveille::scan
