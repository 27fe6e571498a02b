#include "text/jinja/literal.h"

#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "base/error.h"
#include "base/strings.h"
#include "text/jinja/unicode.h"

namespace reveille::text::jinja {
namespace {

bool digit_at(std::string_view text, std::size_t at) {
  return at < text.size() && std::isdigit(static_cast<unsigned char>(text[at]));
}

// Digits with single underscores between them; the position after them.
std::size_t skip_digits(std::string_view text, std::size_t at) {
  while (digit_at(text, at) || (at < text.size() && text[at] == '_' && digit_at(text, at + 1))) ++at;
  return at;
}

bool strip_underscores(std::string_view text, std::string& out) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      out += text[i];
      continue;
    }
    auto alnum = [&](std::size_t at) { return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])); };
    if (i == 0 || !alnum(i - 1) || !alnum(i + 1)) return false;
  }
  return true;
}

std::string_view strip_space(std::string_view text) {
  while (!text.empty()) {
    std::size_t at = 0;
    if (!is_space(next_char(text, at))) break;
    text.remove_prefix(at);
  }
  while (!text.empty()) {
    std::size_t at = text.size();
    if (!is_space(previous_char(text, at))) break;
    text = text.substr(0, at);
  }
  return text;
}

char32_t read_code(std::string_view source, std::size_t at, std::size_t digits, int base) {
  unsigned long code = 0;
  auto result = std::from_chars(source.data() + at, source.data() + std::min(at + digits, source.size()), code, base);
  if (result.ec != std::errc() || result.ptr != source.data() + at + digits) {
    fail(ErrorKind::bad_input, cat("a string has a broken escape '", source.substr(at - 2, digits + 2), "'"));
  }
  if (code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
    fail(ErrorKind::unsupported,
         cat("a string holds the escape '", source.substr(at - 2, digits + 2), "', which is no character of its own"));
  }
  return static_cast<char32_t>(code);
}

// After a backslash at `at` - 1.
void read_escape(std::string_view source, std::size_t& at, std::string& out) {
  static constexpr std::string_view kNames = "\\'\"abfnrtv", kValues = "\\'\"\a\b\f\n\r\t\v";
  char c = source[at];
  std::size_t simple = kNames.find(c);
  if (simple != std::string_view::npos) {
    out += kValues[simple];
    ++at;
  } else if (c == '\n') {
    ++at;
  } else if (c >= '0' && c <= '7') {
    std::size_t digits = 1;
    while (digits < 3 && at + digits < source.size() && source[at + digits] >= '0' && source[at + digits] <= '7')
      ++digits;
    char32_t code = 0;
    for (std::size_t i = 0; i < digits; ++i) code = code * 8 + static_cast<char32_t>(source[at + i] - '0');
    append_utf8(out, code);
    at += digits;
  } else if (c == 'x' || c == 'u' || c == 'U') {
    std::size_t digits = c == 'x' ? 2 : c == 'u' ? 4 : 8;
    append_utf8(out, read_code(source, at + 1, digits, 16));
    at += 1 + digits;
  } else if (c == 'N') {
    fail(ErrorKind::unsupported, "a string holds a named character '\\N{...}'; write it as \\uXXXX");
  } else if (static_cast<unsigned char>(c) >= 0x80) {
    // Python writes the character as an escape first, whose own backslash is then escaped.
    char buffer[16];
    char32_t code = next_char(source, at);
    const char* format = code < 0x100 ? "\\x%02x" : code < 0x10000 ? "\\u%04x" : "\\U%08x";
    std::snprintf(buffer, sizeof buffer, format, static_cast<unsigned>(code));
    out += buffer;
  } else {
    out += '\\';
  }
}

[[noreturn]] void fail_wide(std::string_view digits) {
  fail(ErrorKind::unsupported, cat("the number ", digits.substr(0, 40), " does not fit 64 bits"));
}

}  // namespace

Value read_number(std::string_view source, std::size_t& at) {
  std::size_t begin = at;
  std::size_t end = skip_digits(source, at);
  bool real = false;
  bool after_dot = begin > 0 && source[begin - 1] == '.';
  if (!after_dot && end < source.size() && source[end] == '.' && digit_at(source, end + 1)) {
    real = true;
    end = skip_digits(source, end + 1);
  }
  if (!after_dot && end < source.size() && (source[end] == 'e' || source[end] == 'E')) {
    std::size_t digits = end + 1;
    if (digits < source.size() && (source[digits] == '+' || source[digits] == '-')) ++digits;
    if (digit_at(source, digits)) {
      real = true;
      end = skip_digits(source, digits);
    }
  }
  if (real) {
    at = end;
    return *parse_real(source.substr(begin, end - begin));
  }
  char kind =
      begin + 1 < source.size() && source[begin] == '0' ? static_cast<char>(std::tolower(source[begin + 1])) : ' ';
  int base = kind == 'b' ? 2 : kind == 'o' ? 8 : kind == 'x' ? 16 : 10;
  if (base != 10) {
    std::string digits;
    for (end = begin + 2; end < source.size(); ++end) {
      char c = source[end];
      int value = std::isdigit(static_cast<unsigned char>(c))    ? c - '0'
                  : std::isxdigit(static_cast<unsigned char>(c)) ? std::tolower(c) - 'a' + 10
                                                                 : 99;
      if (c != '_' && value >= base) break;
      if (c != '_') digits += c;
    }
    auto value = parse_integer(digits, base);
    if (value && source[end - 1] != '_') {
      at = end;
      return *value;
    }
    end = begin + 1;
  }
  // Python has no decimal numbers that begin with 0; its lexer ends the token after the zeros.
  if (source[begin] == '0') {
    end = begin + 1;
    while (end < source.size() &&
           (source[end] == '0' || (source[end] == '_' && end + 1 < source.size() && source[end + 1] == '0')))
      ++end;
  }
  at = end;
  return *parse_integer(source.substr(begin, end - begin), 10);
}

std::string read_string(std::string_view source, std::size_t& at) {
  char quote = source[at++];
  std::string out;
  while (at < source.size() && source[at] != quote) {
    if (source[at] != '\\') {
      out += source[at++];
    } else if (++at < source.size()) {
      read_escape(source, at, out);
    }
  }
  if (at >= source.size()) fail(ErrorKind::bad_input, "a string is not closed");
  ++at;
  return out;
}

std::optional<Value> parse_integer(std::string_view text, int base) {
  text = strip_space(text);
  bool negative = !text.empty() && text[0] == '-';
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  std::string digits;
  if (!strip_underscores(text, digits) || digits.empty() || digits[0] == '-') return std::nullopt;
  auto prefixed = [&](char letter) {
    return digits.size() > 2 && digits[0] == '0' && std::tolower(static_cast<unsigned char>(digits[1])) == letter;
  };
  if ((base == 16 && prefixed('x')) || (base == 8 && prefixed('o')) || (base == 2 && prefixed('b'))) digits.erase(0, 2);
  if (negative) digits.insert(0, "-");
  std::int64_t value = 0;
  auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (result.ptr != digits.data() + digits.size()) return std::nullopt;
  if (result.ec == std::errc::result_out_of_range) fail_wide(digits);
  if (result.ec != std::errc()) return std::nullopt;
  return Value(value);
}

std::optional<double> parse_real(std::string_view text) {
  text = strip_space(text);
  bool plus = !text.empty() && text[0] == '+';
  if (plus) text.remove_prefix(1);
  std::string digits;
  if (!strip_underscores(text, digits) || digits.empty() || (plus && digits[0] == '-')) return std::nullopt;
  double value = 0;
  auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (result.ptr != digits.data() + digits.size()) return std::nullopt;
  if (result.ec == std::errc::result_out_of_range) {
    bool tiny = digits.find("e-") != std::string::npos || digits.find("E-") != std::string::npos;
    return (digits[0] == '-' ? -1.0 : 1.0) * (tiny ? 0.0 : HUGE_VAL);
  }
  if (result.ec != std::errc()) return std::nullopt;
  return value;
}

}  // namespace reveille::text::jinja
