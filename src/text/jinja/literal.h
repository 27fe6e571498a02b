// Number and string literals of a template.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "text/jinja/value.h"

namespace reveille::text::jinja {

// The number at `at`, which moves past it.
Value read_number(std::string_view source, std::size_t& at);
// The quoted string at `at`, its escapes undone as Python's "unicode-escape" does.
std::string read_string(std::string_view source, std::size_t& at);

// Python's int(text, base) and float(text); nothing when the text is no number. Underscores
// between digits and white space around are fine.
std::optional<Value> parse_integer(std::string_view text, int base);
std::optional<double> parse_real(std::string_view text);

}  // namespace reveille::text::jinja
