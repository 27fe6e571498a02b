// Matches the arguments of a call with the parameters of a built-in function.
#pragma once

#include <initializer_list>
#include <string_view>

#include "text/jinja/value.h"

namespace reveille::text::jinja {

// Removes the argument of this name and returns it.
std::optional<Value> take_named(Args& args, std::string_view name);

class Bound {
 public:
  // Parameters in order; those whose name begins with "/" take no keyword. The first `required`
  // must be given. An Error names `who`.
  Bound(std::string_view who, Args& args, std::initializer_list<std::string_view> parameters, std::size_t required);

  bool has(std::size_t i) const { return values_[i].has_value(); }
  const Value& at(std::size_t i) const { return *values_[i]; }
  Value get(std::size_t i, Value otherwise) const { return has(i) ? at(i) : otherwise; }
  bool truthy(std::size_t i, bool otherwise = false) const { return has(i) ? at(i).truthy() : otherwise; }
  // Typed: an Error names the function and what it got.
  std::int64_t integer(std::size_t i, std::int64_t otherwise = 0) const;
  TextPtr text(std::size_t i) const;
  bool none(std::size_t i) const { return !has(i) || at(i).is(Kind::none); }

 private:
  std::string_view who_;
  std::vector<std::optional<Value>> values_;
};

}  // namespace reveille::text::jinja
