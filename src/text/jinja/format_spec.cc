#include "text/jinja/format_spec.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "text/jinja/methods.h"
#include "text/jinja/unicode.h"

namespace reveille::text::jinja {
namespace {

constexpr std::int64_t kMaxDigits = 300;

std::int64_t read_count(std::string_view text, std::size_t& at) {
  std::int64_t out = 0;
  while (at < text.size() && text[at] >= '0' && text[at] <= '9') {
    out = std::min<std::int64_t>(out * 10 + (text[at++] - '0'), std::int64_t{1} << 40);
  }
  return out;
}

[[noreturn]] void fail_type_code(const Value& value, char type) {
  fail_type(cat("the format '", type, "' does not fit a ", value.type_name()));
}

std::string group_digits(std::string digits, char group, int size) {
  if (!group) return digits;
  std::size_t end = digits.find_first_of(".e");
  if (end == std::string::npos) end = digits.size();
  for (auto at = static_cast<std::int64_t>(end) - size; at > 0; at -= size)
    digits.insert(static_cast<std::size_t>(at), 1, group);
  return digits;
}

// Digits without sign.
std::string integer_digits(std::int64_t value, const FormatSpec& spec) {
  std::uint64_t size = value < 0 ? 0 - static_cast<std::uint64_t>(value) : static_cast<std::uint64_t>(value);
  int base = spec.type == 'x' || spec.type == 'X' ? 16 : spec.type == 'o' ? 8 : spec.type == 'b' ? 2 : 10;
  char buffer[80];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, size, base).ptr;
  std::string digits(buffer, end);
  if (spec.type == 'X') std::transform(digits.begin(), digits.end(), digits.begin(), ::toupper);
  digits = group_digits(std::move(digits), spec.group, base == 10 ? 3 : 4);
  if (spec.alternate && base != 10)
    digits.insert(0, spec.type == 'X' ? "0X" : spec.type == 'x' ? "0x" : spec.type == 'o' ? "0o" : "0b");
  return digits;
}

std::string real_digits(double value, const FormatSpec& spec) {
  if (!spec.type && spec.precision < 0) return group_digits(repr_real(std::fabs(value)), spec.group, 3);
  char type = spec.type ? spec.type : 'g';
  double size = std::fabs(type == '%' ? value * 100 : value);
  if (std::isnan(size) || std::isinf(size)) {
    std::string out = std::isnan(size) ? "nan" : "inf";
    if (type >= 'A' && type <= 'Z') std::transform(out.begin(), out.end(), out.begin(), ::toupper);
    return type == '%' ? out + "%" : out;
  }
  auto precision = static_cast<int>(spec.precision < 0 ? 6 : std::min(spec.precision, kMaxDigits));
  char format[] = {'%', '#', '.', '*', type == '%' ? 'f' : type, '\0'};
  std::string pattern = spec.alternate ? format : std::string("%") + (format + 2);
  char buffer[1024];
  std::snprintf(buffer, sizeof buffer, pattern.c_str(), precision, size);
  std::string digits = group_digits(buffer, spec.group, 3);
  // Without a type, Python shows that it is a float.
  if (!spec.type && digits.find_first_of(".e") == std::string::npos) digits += ".0";
  return type == '%' ? digits + "%" : digits;
}

TextPtr pad_number(bool negative, std::string digits, const FormatSpec& spec) {
  std::string sign = negative ? "-" : spec.sign == '-' ? "" : std::string(1, spec.sign);
  TextPtr fill = plain_text(spec.fill);
  if (spec.align == '=') {
    auto width = spec.width - static_cast<std::int64_t>(sign.size());
    return concat_text(*plain_text(sign), *pad_text(*plain_text(digits), width, *fill, Pad::right));
  }
  Pad place = spec.align == '<' ? Pad::left : spec.align == '^' ? Pad::format_center : Pad::right;
  return pad_text(*plain_text(sign + digits), spec.width, *fill, place);
}

TextPtr format_text(const Text& text, const FormatSpec& spec) {
  if (spec.align == '=' || spec.group || spec.sign != '-' || spec.alternate)
    fail_type("this format does not fit a string");
  std::size_t end = text.bytes.size();
  if (spec.precision >= 0) end = byte_of_char(text.bytes, static_cast<std::size_t>(spec.precision));
  Pad place = spec.align == '>' ? Pad::right : spec.align == '^' ? Pad::format_center : Pad::left;
  return pad_text(*slice_text(text, 0, end), spec.width, *plain_text(spec.fill), place);
}

}  // namespace

FormatSpec parse_format_spec(std::string_view text) {
  FormatSpec out;
  static constexpr std::string_view kAligns = "<>^=";
  std::size_t at = 0;
  auto is = [&](std::size_t i, std::string_view options) {
    return i < text.size() && options.find(text[i]) != std::string_view::npos;
  };
  std::size_t fill = text.empty() ? 0 : char_bytes(static_cast<unsigned char>(text[0]));
  if (fill > 0 && is(fill, kAligns)) {
    out.fill = std::string(text.substr(0, fill));
    at = fill;
  }
  if (is(at, kAligns)) out.align = text[at++];
  if (is(at, "+- ")) out.sign = text[at++];
  if (is(at, "#")) out.alternate = text[at++] == '#';
  if (is(at, "0")) {
    if (!out.align) {
      out.fill = "0";
      out.align = '=';
    }
    ++at;
  }
  out.width = read_count(text, at);
  if (is(at, ",_")) out.group = text[at++];
  if (is(at, ".")) out.precision = read_count(text, ++at);
  if (is(at, "sdbcoxXeEfFgGn%")) out.type = text[at++];
  if (at < text.size() || out.type == 'n' || out.type == 'c') {
    fail(ErrorKind::unsupported, cat("the format specification '", text, "' is not supported in a chat template"));
  }
  return out;
}

TextPtr format_value(const Value& value, const FormatSpec& spec) {
  bool real_type = std::string_view("eEfFgG%").find(spec.type) != std::string_view::npos && spec.type;
  if (value.is(Kind::real) || (value.is_integral() && real_type)) {
    if (!real_type && spec.type) fail_type_code(value, spec.type);
    return pad_number(std::signbit(value.as_real()), real_digits(value.as_real(), spec), spec);
  }
  if (value.is(Kind::integer) || (value.is(Kind::boolean) && spec.type && spec.type != 's')) {
    if (spec.type == 's' || spec.precision >= 0) fail_type_code(value, spec.type ? spec.type : '.');
    return pad_number(value.as_integer() < 0, integer_digits(value.as_integer(), spec), spec);
  }
  if (spec.type && spec.type != 's') fail_type_code(value, spec.type);
  return format_text(*str_text(value), spec);
}

}  // namespace reveille::text::jinja
