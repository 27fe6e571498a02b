// Python's format specifications: [[fill]align][sign][#][0][width][,][.precision][type].
#pragma once

#include <string>
#include <string_view>

#include "text/jinja/value.h"

namespace reveille::text::jinja {

struct FormatSpec {
  std::string fill = " ";
  char align = '\0';  // < > ^ =, or none
  char sign = '-';    // - + or space
  bool alternate = false;
  char group = '\0';  // , or _
  std::int64_t width = 0;
  std::int64_t precision = -1;
  char type = '\0';
};

// The specification after ':' in str.format; an Error for what it does not know.
FormatSpec parse_format_spec(std::string_view text);
// format(value, spec). Strings keep their marks.
TextPtr format_value(const Value& value, const FormatSpec& spec);

}  // namespace reveille::text::jinja
