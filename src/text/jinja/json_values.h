// JSON in and out of templates.
#pragma once

#include "base/json.h"
#include "text/jinja/value.h"

namespace reveille::text::jinja {

// Strings get the given source as their mark; invalid UTF-8 is repaired.
Value from_json(const Json& json, int source = kFromTemplate);

struct JsonStyle {
  bool ascii = false;                 // \uXXXX for everything beyond ASCII
  std::optional<std::string> indent;  // of one level; none puts all on one line
  std::string item_separator = ", ";
  std::string key_separator = ": ";
  bool sort_keys = false;
};

// json.dumps(value): strings keep their marks.
TextPtr to_json(Interpreter& run, const Value& value, const JsonStyle& style);

}  // namespace reveille::text::jinja
