// Operators, attributes, subscripts and iteration, with Python's rules.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "text/jinja/value.h"

namespace reveille::text::jinja {

// + - * / // % **
Value arithmetic(Interpreter& run, const std::string& operation, const Value& left, const Value& right);
// == != < <= > >= in, "not in"
bool compare(Interpreter& run, const std::string& operation, const Value& left, const Value& right);
Value negate(const Value& value);

// object.name and object[key]: what is missing is Undefined, what is not allowed too.
Value get_attribute(const Value& object, const std::string& name);
Value get_item(const Value& object, const Value& key);
// object[start:stop:step]; a part may be None.
Value get_slice(Interpreter& run, const Value& object, const Value& start, const Value& stop, const Value& step);

// The items of something iterable; an Error for anything else. A generator is used up.
Values items_of(Interpreter& run, const Value& value);
bool iterable(const Value& value);
// One character a Value.
Values characters(const Text& text);

// Gives items one by one; of a generator the same items that everybody else draws from.
class Iterator {
 public:
  Iterator(Interpreter& run, const Value& value);
  std::optional<Value> next();
  bool sized() const { return !generator_; }
  std::size_t size() const { return items_.size(); }

 private:
  Values items_;
  std::size_t at_ = 0;
  Value source_;
  bool generator_ = false;
};

// len(); an Error for what has none.
std::int64_t length(const Value& value);
// Plain str + str, with Markup's escaping.
TextPtr add_texts(const Text& left, const Text& right);
// & < > ' " as HTML entities; the result is Markup.
TextPtr escape_html(const Text& text);

// int64 arithmetic; an Error where Python's result would not fit.
std::int64_t checked(const std::string& operation, std::int64_t left, std::int64_t right);

}  // namespace reveille::text::jinja
