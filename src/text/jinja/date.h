// Dates in templates are a setting, never the clock: the same conversation gives the same bytes.
#pragma once

#include <string>
#include <string_view>

namespace reveille::text::jinja {

// Python's datetime.strftime of "YYYY-MM-DD" or "YYYY-MM-DD HH:MM:SS"; an Error for another form or
// a day that does not exist.
std::string format_date(const std::string& date, std::string_view format);

}  // namespace reveille::text::jinja
