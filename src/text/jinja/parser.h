// Builds the syntax tree, by the grammar of jinja2's parser.
#pragma once

#include <string_view>

#include "text/jinja/ast.h"

namespace reveille::text::jinja {

// An Error names the line and the construct. `source` is valid UTF-8.
Block parse_template(std::string_view source);

}  // namespace reveille::text::jinja
