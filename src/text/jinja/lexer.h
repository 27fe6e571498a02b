// Cuts a template into tokens, as jinja2's lexer does with trim_blocks and lstrip_blocks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/value.h"

namespace reveille::text::jinja {

enum class TokenKind { data, output_begin, output_end, block_begin, block_end, name, text, number, symbol, end };

struct Token {
  TokenKind kind;
  int line = 0;
  std::string text;  // of a name, a symbol, data, or the value of a string
  Value number;
};

// An Error names the line. `source` is valid UTF-8.
std::vector<Token> tokenize(std::string_view source);

}  // namespace reveille::text::jinja
