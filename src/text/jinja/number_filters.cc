#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/error.h"
#include "text/jinja/args.h"
#include "text/jinja/filters.h"
#include "text/jinja/literal.h"
#include "text/jinja/ops.h"

namespace reveille::text::jinja {
namespace {

void want_number(const char* who, const Value& value) {
  if (value.is(Kind::undefined)) fail_undefined(value);
  if (!value.is_number()) fail_type(cat(who, " wants a number, got a ", value.type_name()));
}

Value absolute(Interpreter&, const Value& value, Args& args) {
  Bound bound("abs", args, {}, 0);
  want_number("abs", value);
  if (value.is(Kind::real)) return std::fabs(value.as_real());
  return value.as_integer() < 0 ? negate(value) : Value(value.as_integer());
}

Value whole(double value, const Value& otherwise) {
  if (std::isnan(value) || std::isinf(value)) return otherwise;
  if (std::fabs(value) >= 9.2e18) fail(ErrorKind::unsupported, "a number for the filter 'int' does not fit 64 bits");
  return static_cast<std::int64_t>(value);
}

Value to_int(Interpreter&, const Value& value, Args& args) {
  Bound bound("int", args, {"default", "base"}, 0);
  Value otherwise = bound.get(0, 0);
  if (value.is(Kind::undefined)) fail_undefined(value);
  if (value.is_integral()) return value.as_integer();
  if (value.is(Kind::real)) {
    // int(inf) is an OverflowError, which jinja2 lets through.
    if (std::isinf(value.as_real())) fail_type("infinity has no whole number");
    return whole(value.as_real(), otherwise);
  }
  if (!value.is(Kind::text)) return otherwise;
  auto base = bound.integer(1, 10);
  if (base < 2 || base > 36) fail(ErrorKind::unsupported, cat("the filter 'int' got the base ", base));
  if (auto number = parse_integer(value.bytes(), static_cast<int>(base))) return *number;
  auto real = parse_real(value.bytes());
  return real ? whole(*real, otherwise) : otherwise;
}

Value to_float(Interpreter&, const Value& value, Args& args) {
  Bound bound("float", args, {"default"}, 0);
  if (value.is(Kind::undefined)) fail_undefined(value);
  if (value.is_number()) return value.as_real();
  if (value.is(Kind::text)) {
    if (auto real = parse_real(value.bytes())) return *real;
  }
  return bound.get(0, 0.0);
}

// round(value, digits) of a float: half to even on the exact binary value.
double round_real(double value, std::int64_t digits) {
  if (std::isnan(value) || std::isinf(value) || digits > 300) return value;
  if (digits < 0) {
    double unit = std::pow(10.0, static_cast<double>(-digits));
    return std::isinf(unit) ? 0.0 * value : std::nearbyint(value / unit) * unit;
  }
  char buffer[700];
  std::snprintf(buffer, sizeof buffer, "%.*f", static_cast<int>(digits), value);
  return std::strtod(buffer, nullptr);
}

std::int64_t round_integer(std::int64_t value, std::int64_t digits) {
  if (digits >= 0) return value;
  if (digits < -18) return 0;
  std::int64_t unit = 1;
  for (; digits < 0; ++digits) unit *= 10;
  std::int64_t rest = ((value % unit) + unit) % unit, down = value - rest;
  bool up = rest > unit - rest || (rest == unit - rest && (down / unit) % 2 != 0);
  return up ? checked("+", down, unit) : down;
}

Value round_to(Interpreter&, const Value& value, Args& args) {
  Bound bound("round", args, {"precision", "method"}, 0);
  std::string method = bound.has(1) ? str(bound.at(1)) : "common";
  if (method != "common" && method != "ceil" && method != "floor") {
    fail_type(cat("round wants the method common, ceil or floor, got '", method, "'"));
  }
  want_number("round", value);
  std::int64_t digits = bound.integer(0, 0);
  if (method == "common") {
    if (value.is_integral()) return round_integer(value.as_integer(), digits);
    return round_real(value.as_real(), digits);
  }
  double unit = std::pow(10.0, static_cast<double>(digits));
  double scaled = value.as_real() * unit;
  double out = (method == "ceil" ? std::ceil(scaled) : std::floor(scaled)) / unit;
  return out == 0 ? 0.0 : out;  // Python's ceil and floor give an int, which has no -0
}

}  // namespace

const FilterTable& number_filters() {
  static const FilterTable kFilters = {
      {"abs", absolute},
      {"int", to_int},
      {"float", to_float},
      {"round", round_to},
  };
  return kFilters;
}

}  // namespace reveille::text::jinja
