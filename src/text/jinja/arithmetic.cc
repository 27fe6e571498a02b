// + - * / // % ** and the comparisons.
#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/methods.h"
#include "text/jinja/ops.h"

namespace reveille::text::jinja {
namespace {

[[noreturn]] void fail_operands(const std::string& operation, const Value& left, const Value& right) {
  if (left.is(Kind::undefined)) fail_undefined(left);
  if (right.is(Kind::undefined)) fail_undefined(right);
  fail_type(cat("a ", left.type_name(), " and a ", right.type_name(), " cannot be combined by '", operation, "'"));
}

void refuse_zero(bool zero) {
  if (zero) fail(ErrorKind::bad_input, "division by zero");
}

std::int64_t floor_divide(std::int64_t a, std::int64_t b) {
  refuse_zero(b == 0);
  if (b == -1) return checked("-", 0, a);
  std::int64_t quotient = a / b;
  return quotient - ((a % b != 0) && ((a < 0) != (b < 0)));
}

std::int64_t modulo(std::int64_t a, std::int64_t b) {
  refuse_zero(b == 0);
  if (b == -1) return 0;
  std::int64_t rest = a % b;
  return rest != 0 && ((rest < 0) != (b < 0)) ? rest + b : rest;
}

double modulo(double a, double b) {
  refuse_zero(b == 0);
  double rest = std::fmod(a, b);
  if (rest == 0) return std::copysign(0.0, b);
  return (rest < 0) != (b < 0) ? rest + b : rest;
}

double floor_divide(double a, double b) {
  refuse_zero(b == 0);
  double rest = std::fmod(a, b);
  double quotient = (a - rest) / b;
  if (rest != 0 && ((b < 0) != (rest < 0))) quotient -= 1;
  if (quotient == 0) return std::copysign(0.0, a / b);
  double floor = std::floor(quotient);
  return quotient - floor > 0.5 ? floor + 1 : floor;
}

Value power(const Value& left, const Value& right) {
  if (left.is_integral() && right.is_integral() && right.as_integer() >= 0) {
    std::int64_t base = left.as_integer(), exponent = right.as_integer(), out = 1;
    if (base == 0 || base == 1) return exponent == 0 ? 1 : base;
    if (base == -1) return exponent % 2 ? -1 : 1;
    for (; exponent > 0; --exponent) out = checked("*", out, base);
    return out;
  }
  double base = left.as_real(), exponent = right.as_real();
  refuse_zero(base == 0 && exponent < 0);
  if (base < 0 && exponent != std::floor(exponent))
    fail(ErrorKind::unsupported, "the result of '**' is a complex number");
  double out = std::pow(base, exponent);
  if (std::isinf(out) && !std::isinf(base) && !std::isinf(exponent)) fail_type("the result of '**' is too large");
  return out;
}

Value integer_arithmetic(const std::string& operation, std::int64_t a, std::int64_t b) {
  if (operation == "//") return floor_divide(a, b);
  if (operation == "%") return modulo(a, b);
  return checked(operation, a, b);
}

Value number_arithmetic(const std::string& operation, const Value& left, const Value& right) {
  if (operation == "**") return power(left, right);
  if (operation != "/" && left.is_integral() && right.is_integral()) {
    return integer_arithmetic(operation, left.as_integer(), right.as_integer());
  }
  double a = left.as_real(), b = right.as_real();
  if (operation == "+") return a + b;
  if (operation == "-") return a - b;
  if (operation == "*") return a * b;
  if (operation == "//") return floor_divide(a, b);
  if (operation == "%") return modulo(a, b);
  refuse_zero(b == 0);
  return a / b;
}

// A list or tuple `times` times over.
Value repeat_items(Interpreter& run, const Sequence& sequence, std::int64_t times) {
  constexpr std::int64_t kMaxItems = 1'000'000;
  auto size = static_cast<std::int64_t>(sequence.items.size());
  if (times > 0 && size > kMaxItems / times) {
    fail(ErrorKind::bad_input,
         cat("the template makes a list of more than ", kMaxItems, " items, the limit for one list"));
  }
  run.step(static_cast<std::size_t>(std::max<std::int64_t>(0, times) * size));
  Values items;
  for (std::int64_t i = 0; i < times; ++i) items.insert(items.end(), sequence.items.begin(), sequence.items.end());
  return make_sequence(sequence.kind, std::move(items));
}

bool list_or_tuple(const Value& value) {
  return value.is(Kind::sequence) && value.sequence().kind <= SequenceKind::tuple;
}

Value repeat(Interpreter& run, const Value& left, const Value& right) {
  const Value& many = left.is_integral() ? right : left;
  const Value& count = left.is_integral() ? left : right;
  if (!count.is_integral()) fail_operands("*", left, right);
  std::int64_t times = count.as_integer();
  if (list_or_tuple(many)) return repeat_items(run, many.sequence(), times);
  if (!many.is(Kind::text)) fail_operands("*", left, right);
  TextBuilder out;
  if (times > 0) out.add(many.text(), static_cast<std::size_t>(times));
  return out.take(many.text().safe);
}

Value add(Interpreter& run, const Value& left, const Value& right) {
  if (left.is(Kind::text) && right.is(Kind::text)) return add_texts(left.text(), right.text());
  if (!list_or_tuple(left) || !list_or_tuple(right) || left.sequence().kind != right.sequence().kind) {
    fail_operands("+", left, right);
  }
  Values items = left.sequence().items;
  const Values& more = right.sequence().items;
  run.step(items.size() + more.size());
  items.insert(items.end(), more.begin(), more.end());
  return make_sequence(left.sequence().kind, std::move(items));
}

bool contains(Interpreter& run, const Value& container, const Value& item) {
  switch (container.kind()) {
    case Kind::undefined: return false;
    case Kind::text:
      if (!item.is(Kind::text)) fail_type(cat("'in' wants a string to look for in a string, got a ", item.type_name()));
      run.step(container.weight());
      return container.bytes().find(item.bytes()) != std::string::npos;
    case Kind::mapping:
      if (!hashable(item)) fail_type(cat("a ", item.type_name(), " cannot be the key of a dict"));
      return container.mapping().find(item) != nullptr;
    case Kind::sequence: {
      Iterator iterator(run, container);
      while (auto candidate = iterator.next()) {
        run.step();
        if (equal(*candidate, item)) return true;
      }
      return false;
    }
    default: fail_type(cat("'in' wants a container, got a ", container.type_name()));
  }
}

}  // namespace

std::int64_t checked(const std::string& operation, std::int64_t left, std::int64_t right) {
  std::int64_t out = 0;
  bool wide = operation == "+"   ? __builtin_add_overflow(left, right, &out)
              : operation == "-" ? __builtin_sub_overflow(left, right, &out)
                                 : __builtin_mul_overflow(left, right, &out);
  if (wide) fail(ErrorKind::unsupported, cat("the result of '", operation, "' does not fit 64 bits"));
  return out;
}

Value negate(const Value& value) {
  if (value.is(Kind::real)) return -value.as_real();
  return checked("-", 0, value.as_integer());
}

Value arithmetic(Interpreter& run, const std::string& operation, const Value& left, const Value& right) {
  if (left.is_number() && right.is_number()) return number_arithmetic(operation, left, right);
  if (operation == "+") return add(run, left, right);
  if (operation == "*") return repeat(run, left, right);
  if (operation == "%" && left.is(Kind::text)) {
    run.step(right.weight());
    return percent_format(left.text(), right);
  }
  fail_operands(operation, left, right);
}

bool compare(Interpreter& run, const std::string& operation, const Value& left, const Value& right) {
  if (operation == "in") return contains(run, right, left);
  if (operation == "not in") return !contains(run, right, left);
  run.step(std::min(left.weight(), right.weight()));
  if (operation == "==") return equal(left, right);
  if (operation == "!=") return !equal(left, right);
  if (operation == "<") return less(left, right);
  if (operation == ">") return less(right, left);
  bool numbers = left.is_number() && right.is_number();
  if (numbers && (std::isnan(left.as_real()) || std::isnan(right.as_real()))) return false;
  return operation == "<=" ? !less(right, left) : !less(left, right);
}

}  // namespace reveille::text::jinja
