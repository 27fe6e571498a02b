#include "text/jinja/date.h"

#include <cstdio>
#include <ctime>

#include "base/error.h"

namespace reveille::text::jinja {
namespace {

std::tm parse_date(const std::string& date) {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
  bool fine = std::sscanf(date.c_str(), "%4d-%2d-%2d%n", &year, &month, &day, &used) == 3;
  if (fine && static_cast<std::size_t>(used) < date.size()) {
    int more = 0;
    fine = std::sscanf(date.c_str() + used, "%*1[ T]%2d:%2d:%2d%n", &hour, &minute, &second, &more) == 3 &&
           static_cast<std::size_t>(used) + static_cast<std::size_t>(more) == date.size();
  }
  std::tm out{};
  out.tm_year = year - 1900;
  out.tm_mon = month - 1;
  out.tm_mday = day;
  out.tm_hour = hour;
  out.tm_min = minute;
  out.tm_sec = second;
  std::tm normal = out;
  // timegm fills in the weekday and the day of the year, and moves days that do not exist.
  if (fine) fine = timegm(&normal) != -1 || year == 1969;
  bool exists = normal.tm_mday == day && normal.tm_mon == month - 1 && normal.tm_hour == hour &&
                normal.tm_min == minute && normal.tm_sec == second;
  if (!fine || !exists || year < 1) {
    fail(ErrorKind::usage, cat("'", date, "' is no date; expected YYYY-MM-DD or YYYY-MM-DD HH:MM:SS"));
  }
  return normal;
}

}  // namespace

std::string format_date(const std::string& date, std::string_view format) {
  constexpr std::size_t kMaxFormat = 1000;
  if (format.size() > kMaxFormat) {
    fail(ErrorKind::bad_input,
         cat("strftime_now() got a format of ", format.size(), " bytes; the limit is ", kMaxFormat));
  }
  std::tm time = parse_date(date);
  // A date without a zone: Python prints nothing for the zone, and its microseconds are 0.
  std::string plain;
  for (std::size_t i = 0; i < format.size(); ++i) {
    char next = i + 1 < format.size() ? format[i + 1] : '\0';
    if (format[i] != '%' || !next) {
      plain += format[i];
      continue;
    }
    ++i;
    if (next == 'f') plain += "000000";
    if (next != 'f' && next != 'z' && next != 'Z') plain += std::string{'%', next};
  }
  // A final byte, so that an empty result differs from a failure.
  plain += '.';
  char buffer[16 * kMaxFormat];
  std::size_t size = std::strftime(buffer, sizeof buffer, plain.c_str(), &time);
  return size > 0 ? std::string(buffer, size - 1) : "";
}

}  // namespace reveille::text::jinja
