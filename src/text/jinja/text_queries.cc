// The methods of str that ask something.
#include <algorithm>
#include <map>

#include "base/error.h"
#include "text/jinja/args.h"
#include "text/jinja/methods.h"
#include "text/jinja/unicode.h"

namespace reveille::text::jinja {
namespace {

// The bytes that the optional arguments `start` and `end` (in characters) leave, and where they begin.
struct Range {
  bool valid = true;  // false where start lies behind the end
  std::size_t begin = 0;
  std::string_view bytes;
};

Range limited(const Value& self, const Bound& bound) {
  std::string_view bytes = self.bytes();
  if (bound.none(1) && bound.none(2)) return {true, 0, bytes};
  auto size = static_cast<std::int64_t>(count_chars(bytes));
  auto place = [&](std::size_t i, std::int64_t otherwise) {
    std::int64_t at = bound.none(i) ? otherwise : bound.integer(i);
    return at < 0 ? std::max<std::int64_t>(0, at + size) : at;
  };
  std::int64_t start = place(1, 0), end = std::min(place(2, size), size);
  if (start > end) return {false, 0, {}};
  std::size_t from = byte_of_char(bytes, static_cast<std::size_t>(start));
  std::size_t to = byte_of_char(bytes, static_cast<std::size_t>(end));
  return {true, from, bytes.substr(from, to - from)};
}

Method affix(const char* name, bool prefix) {
  return [=](Interpreter&, const Value& self, Args& args) -> Value {
    Bound bound(name, args, {"/affix", "/start", "/end"}, 1);
    Range range = limited(self, bound);
    auto matches = [&](const Value& value) {
      if (!value.is(Kind::text))
        fail_type(cat(name, "() wants a string or a tuple of strings, got a ", value.type_name()));
      if (!range.valid) return false;
      return prefix ? range.bytes.starts_with(value.bytes()) : range.bytes.ends_with(value.bytes());
    };
    const Value& wanted = bound.at(0);
    if (!wanted.is(Kind::sequence) || wanted.sequence().kind != SequenceKind::tuple) return matches(wanted);
    const Values& options = wanted.sequence().items;
    return std::any_of(options.begin(), options.end(), matches);
  };
}

Method find(const char* name, bool from_right, bool must_be_there) {
  return [=](Interpreter&, const Value& self, Args& args) -> Value {
    Bound bound(name, args, {"/sub", "/start", "/end"}, 1);
    TextPtr wanted = bound.text(0);
    Range range = limited(self, bound);
    std::size_t at = !range.valid ? std::string::npos
                     : from_right ? range.bytes.rfind(wanted->bytes)
                                  : range.bytes.find(wanted->bytes);
    if (at != std::string::npos) {
      std::string_view before = std::string_view(self.bytes()).substr(0, range.begin + at);
      return static_cast<std::int64_t>(count_chars(before));
    }
    if (must_be_there) fail_type(cat(name, "(): the string does not hold '", wanted->bytes, "'"));
    return -1;
  };
}

Value count(Interpreter&, const Value& self, Args& args) {
  Bound bound("count", args, {"/sub", "/start", "/end"}, 1);
  TextPtr wanted = bound.text(0);
  Range range = limited(self, bound);
  if (!range.valid) return 0;
  if (wanted->bytes.empty()) return static_cast<std::int64_t>(count_chars(range.bytes)) + 1;
  std::int64_t out = 0;
  for (std::size_t at = 0; (at = range.bytes.find(wanted->bytes, at)) != std::string::npos; at += wanted->bytes.size())
    ++out;
  return out;
}

// Whether all characters (at least one) are such.
Method all_chars(const char* name, bool (*is)(char32_t), bool of_empty = false) {
  return [=](Interpreter&, const Value& self, Args& args) -> Value {
    Bound bound(name, args, {}, 0);
    const std::string& bytes = self.bytes();
    for (std::size_t at = 0; at < bytes.size();) {
      if (!is(next_char(bytes, at))) return false;
    }
    return of_empty || !bytes.empty();
  };
}

// isupper, islower: at least one cased character, and none of another case.
Method all_cased(const char* name, bool (*is)(char32_t)) {
  return [=](Interpreter&, const Value& self, Args& args) -> Value {
    Bound bound(name, args, {}, 0);
    bool some = false;
    for (std::size_t at = 0; at < self.bytes().size();) {
      char32_t c = next_char(self.bytes(), at);
      if (!is_cased(c)) continue;
      if (!is(c)) return false;
      some = true;
    }
    return some;
  };
}

Value is_title(Interpreter&, const Value& self, Args& args) {
  Bound bound("istitle", args, {}, 0);
  bool some = false, inside = false;
  for (std::size_t at = 0; at < self.bytes().size();) {
    char32_t c = next_char(self.bytes(), at);
    if (is_cased(c) && inside != is_lower(c)) return false;
    inside = is_cased(c);
    some = some || inside;
  }
  return some;
}

const std::map<std::string_view, Method> kQueries = {
    {"startswith", affix("startswith", true)},
    {"endswith", affix("endswith", false)},
    {"find", find("find", false, false)},
    {"rfind", find("rfind", true, false)},
    {"index", find("index", false, true)},
    {"rindex", find("rindex", true, true)},
    {"count", count},
    {"isspace", all_chars("isspace", is_space)},
    {"isalpha", all_chars("isalpha", is_alpha)},
    {"isdigit", all_chars("isdigit", is_decimal)},
    {"isdecimal", all_chars("isdecimal", is_decimal)},
    {"isnumeric", all_chars("isnumeric", is_numeric)},
    {"isalnum", all_chars("isalnum", [](char32_t c) { return is_alpha(c) || is_numeric(c); })},
    {"isascii", all_chars(
                    "isascii", [](char32_t c) { return c < 0x80; }, true)},
    {"isprintable", all_chars("isprintable", is_printable, true)},
    {"isupper", all_cased("isupper", is_upper)},
    {"islower", all_cased("islower", is_lower)},
    {"istitle", is_title},
};

}  // namespace

const Method* find_text_query(std::string_view name) {
  auto found = kQueries.find(name);
  return found != kQueries.end() ? &found->second : nullptr;
}

}  // namespace reveille::text::jinja
