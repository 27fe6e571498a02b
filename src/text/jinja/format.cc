// `format % values` and `format.format(...)`.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/strings.h"
#include "text/jinja/format_spec.h"
#include "text/jinja/literal.h"
#include "text/jinja/methods.h"
#include "text/jinja/ops.h"

namespace reveille::text::jinja {
namespace {

// ----- % -----

class PercentFormat {
 public:
  PercentFormat(const Text& format, const Value& values) : format_(format), values_(values) {
    if (values.is(Kind::sequence) && values.sequence().kind == SequenceKind::tuple) tuple_ = &values.sequence();
  }

  TextPtr run() {
    const std::string& bytes = format_.bytes;
    while (at_ < bytes.size()) {
      std::size_t percent = std::min(bytes.find('%', at_), bytes.size());
      if (percent > at_) out_.add(format_, at_, percent);
      at_ = percent;
      if (at_ < bytes.size()) conversion();
    }
    // Python forgives left-over values that could be looked up by name.
    bool forgiven = values_.is(Kind::mapping) || values_.is(Kind::undefined) || (values_.is(Kind::sequence) && !tuple_);
    if (tuple_ ? used_ < tuple_->items.size() : used_ == 0 && !named_ && !forgiven) {
      fail_type("not all values were used by the format string");
    }
    return out_.take(format_.safe);
  }

 private:
  char peek() const { return at_ < format_.bytes.size() ? format_.bytes[at_] : '\0'; }

  Value next_value() {
    if (tuple_ ? used_ >= tuple_->items.size() : used_ > 0) fail_type("the format string wants more values");
    return tuple_ ? tuple_->items[used_++] : (++used_, values_);
  }

  Value named_value() {
    std::size_t begin = ++at_;
    std::size_t end = format_.bytes.find(')', begin);
    if (end == std::string::npos) fail_type("a format string misses a ')'");
    at_ = end + 1;
    named_ = true;
    if (!values_.is(Kind::mapping)) fail_type("the format string wants a dict");
    std::string name = format_.bytes.substr(begin, end - begin);
    const Value* found = values_.mapping().find_name(name);
    if (!found) fail_type(cat("the format string names '", name, "', which the dict does not hold"));
    return *found;
  }

  std::int64_t number() {
    if (peek() == '*') {
      ++at_;
      Value value = next_value();
      if (!value.is_integral()) fail_type("'*' in a format string wants a whole number");
      return value.as_integer();
    }
    std::int64_t out = 0;
    while (peek() >= '0' && peek() <= '9')
      out = std::min<std::int64_t>(out * 10 + (format_.bytes[at_++] - '0'), 1 << 30);
    return out;
  }

  void conversion() {
    ++at_;
    std::optional<Value> value;
    if (peek() == '(') value = named_value();
    FormatSpec spec;
    spec.align = '>';
    bool zero = false;
    for (; peek() && std::string_view("-+ #0").find(peek()) != std::string_view::npos; ++at_) {
      if (peek() == '-') spec.align = '<';
      if (peek() == '+') spec.sign = '+';
      if (peek() == ' ' && spec.sign == '-') spec.sign = ' ';
      if (peek() == '#') spec.alternate = true;
      if (peek() == '0') zero = true;
    }
    spec.width = number();
    if (spec.width < 0) {
      spec.align = '<';
      spec.width = -spec.width;
    }
    if (peek() == '.') {
      ++at_;
      spec.precision = number();
    }
    char type = peek();
    ++at_;
    if (type == '%') return out_.add("%");
    if (zero && spec.align != '<') {
      spec.align = '=';
      spec.fill = "0";
    }
    convert(type, spec, value ? *value : next_value());
  }

  void convert(char type, FormatSpec spec, const Value& value) {
    if (type == 's' || type == 'r' || type == 'a') {
      spec.fill = " ";
      if (spec.align == '=') spec.align = '>';
      spec.sign = '-';
      spec.alternate = false;
      TextPtr text = type == 's' ? str_text(value) : plain_text(repr(value));
      if (type == 's' && format_.safe) text = escape_html(*text);
      return out_.add(*format_value(text, spec));
    }
    if (value.is(Kind::undefined)) fail_undefined(value);
    if (!value.is_number()) fail_type(cat("'%", type, "' wants a number, got a ", value.type_name()));
    if (std::string_view("diu").find(type) != std::string_view::npos) {
      if (spec.precision >= 0) fail(ErrorKind::unsupported, "a precision of '%d' is not supported in a chat template");
      spec.type = 'd';
      return out_.add(*format_value(Value(value.is(Kind::real) ? whole(value.as_real()) : value.as_integer()), spec));
    }
    if (std::string_view("eEfFgGxXo").find(type) == std::string_view::npos || !type) {
      fail(ErrorKind::unsupported, cat("the format '%", type, "' is not supported in a chat template"));
    }
    if (std::string_view("xXo").find(type) != std::string_view::npos && !value.is_integral()) {
      fail_type(cat("'%", type, "' wants a whole number, got a ", value.type_name()));
    }
    spec.type = type;
    out_.add(*format_value(value, spec));
  }

  static std::int64_t whole(double value) {
    if (!(std::fabs(value) < 9e18)) fail_type("'%d' wants a number that fits 64 bits");
    return static_cast<std::int64_t>(value);
  }

  const Text& format_;
  const Value& values_;
  const Sequence* tuple_ = nullptr;
  std::size_t at_ = 0;
  std::size_t used_ = 0;
  bool named_ = false;
  TextBuilder out_;
};

// ----- {} -----

class BraceFormat {
 public:
  BraceFormat(const Text& format, const Args& args) : format_(format), args_(args) {}

  TextPtr run() {
    const std::string& bytes = format_.bytes;
    for (std::size_t at = 0; at < bytes.size();) {
      std::size_t brace = std::min(bytes.find_first_of("{}", at), bytes.size());
      if (brace > at) out_.add(format_, at, brace);
      at = brace;
      if (at >= bytes.size()) break;
      if (at + 1 < bytes.size() && bytes[at + 1] == bytes[at]) {
        out_.add(format_, at, at + 1);
        at += 2;
      } else if (bytes[at] == '}') {
        fail_type("a format string holds a single '}'");
      } else {
        at = field(at + 1);
      }
    }
    return out_.take(format_.safe);
  }

 private:
  // The field that begins after '{'; the position after its '}'.
  std::size_t field(std::size_t begin) {
    const std::string& bytes = format_.bytes;
    std::size_t end = bytes.find_first_of("{}", begin);
    if (end == std::string::npos) fail_type("a format string misses a '}'");
    if (bytes[end] == '{')
      fail(ErrorKind::unsupported, "nested fields of a format string are not supported in a chat template");
    std::string_view text = std::string_view(bytes).substr(begin, end - begin);
    std::string_view spec, conversion;
    std::size_t stop = text.find_first_of("!:");
    if (stop != std::string_view::npos && text[stop] == '!') {
      conversion = text.substr(stop + 1, 1);
      if (stop + 2 < text.size()) {
        if (text[stop + 2] != ':') fail_type("expected ':' after the conversion of a format field");
        spec = text.substr(stop + 3);
      }
    } else if (stop != std::string_view::npos) {
      spec = text.substr(stop + 1);
    }
    Value value = look_up(text.substr(0, stop));
    if (conversion == "r") value = plain_text(repr(value));
    if (conversion == "s") value = str_text(value);
    if (value.is(Kind::text) && format_.safe) value = escape_html(value.text());
    bool plain = value.is_number() || value.is(Kind::text);
    if (!spec.empty() && !plain && !value.is(Kind::undefined))
      fail_type(cat("a ", value.type_name(), " takes no format specification"));
    if (value.is(Kind::boolean) && !spec.empty()) value = value.as_integer();
    out_.add(*format_value(value, parse_format_spec(spec)));
    return end + 1;
  }

  Value look_up(std::string_view name) {
    std::size_t end = std::min(name.find_first_of(".["), name.size());
    Value value = first(name.substr(0, end));
    while (end < name.size()) {
      bool is_attribute = name[end] == '.';
      std::size_t begin = end + 1;
      end = std::min(is_attribute ? name.find_first_of(".[", begin) : name.find(']', begin), name.size());
      std::string key(name.substr(begin, end - begin));
      if (!is_attribute) ++end;
      auto index = is_attribute ? std::nullopt : parse_integer(key, 10);
      value = is_attribute ? get_attribute(value, key) : get_item(value, index ? *index : Value(key));
    }
    return value;
  }

  Value first(std::string_view name) {
    if (name.empty()) return positional(next_++);
    if (auto index = parse_integer(name, 10)) return positional(static_cast<std::size_t>(index->as_integer()));
    for (const auto& [known, value] : args_.named) {
      if (known == name) return value;
    }
    fail_type(cat("the format string names '", name, "', which is not given"));
  }

  Value positional(std::size_t index) {
    if (index >= args_.positional.size()) fail_type("the format string wants more values");
    return args_.positional[index];
  }

  const Text& format_;
  const Args& args_;
  std::size_t next_ = 0;
  TextBuilder out_;
};

}  // namespace

TextPtr percent_format(const Text& format, const Value& values) { return PercentFormat(format, values).run(); }

TextPtr brace_format(const Text& format, const Args& args) { return BraceFormat(format, args).run(); }

}  // namespace reveille::text::jinja
