// The tests of the template language: what may stand after 'is'.
#include "base/error.h"
#include "text/jinja/args.h"
#include "text/jinja/filters.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/methods.h"
#include "text/jinja/ops.h"

namespace reveille::text::jinja {
namespace {

template <class Ask>
Test ask(const char* name, Ask question) {
  return [=](Interpreter&, const Value& value, Args& args) {
    Bound bound(name, args, {}, 0);
    return static_cast<bool>(question(value));
  };
}

Test is_kind(const char* name, Kind kind) {
  return ask(name, [=](const Value& value) { return value.is(kind); });
}

Test comparison(const char* name, const char* operation) {
  return [=](Interpreter& run, const Value& value, Args& args) {
    Bound bound(name, args, {"/other"}, 1);
    return compare(run, operation, value, bound.at(0));
  };
}

// value % divisor == rest
bool leaves(Interpreter& run, const Value& value, const Value& divisor, int rest) {
  return equal(arithmetic(run, "%", value, divisor), rest);
}

Test remainder(const char* name, int rest) {
  return [=](Interpreter& run, const Value& value, Args& args) {
    Bound bound(name, args, {}, 0);
    return leaves(run, value, 2, rest);
  };
}

bool divisible_by(Interpreter& run, const Value& value, Args& args) {
  Bound bound("divisibleby", args, {"num"}, 1);
  return leaves(run, value, bound.at(0), 0);
}

bool contained(Interpreter& run, const Value& value, Args& args) {
  Bound bound("in", args, {"seq"}, 1);
  return compare(run, "in", value, bound.at(0));
}

// Whether its text has cased letters and all are of the one case.
Test cased(const char* name, std::string_view method) {
  return [=](Interpreter& run, const Value& value, Args& args) {
    Bound bound(name, args, {}, 0);
    Args none;
    return (*find_text_query(method))(run, str_text(value), none).truthy();
  };
}

bool same(Interpreter&, const Value& value, Args& args) {
  Bound bound("sameas", args, {"other"}, 1);
  const Value& other = bound.at(0);
  if (value.kind() != other.kind()) return false;
  if (value.is(Kind::text)) return value.text_ptr() == other.text_ptr() || value.bytes() == other.bytes();
  return value.address() ? value.address() == other.address() : equal(value, other);
}

bool is_sequence(const Value& value) {
  if (value.is(Kind::sequence)) return value.sequence().indexable();
  return value.is(Kind::text) || value.is(Kind::mapping) || value.is(Kind::undefined);
}

bool known_filter(Interpreter&, const Value& value, Args&) {
  return value.is(Kind::text) && find_filter(value.bytes()) != nullptr;
}

bool known_test(Interpreter&, const Value& value, Args&) {
  return value.is(Kind::text) && tests().count(value.bytes()) > 0;
}

std::map<std::string_view, Test> make_tests() {
  std::map<std::string_view, Test> out = {
      {"defined", ask("defined", [](const Value& value) { return !value.is(Kind::undefined); })},
      {"undefined", is_kind("undefined", Kind::undefined)},
      {"none", is_kind("none", Kind::none)},
      {"string", is_kind("string", Kind::text)},
      {"mapping", is_kind("mapping", Kind::mapping)},
      {"boolean", is_kind("boolean", Kind::boolean)},
      {"integer", is_kind("integer", Kind::integer)},
      {"float", is_kind("float", Kind::real)},
      {"true", ask("true", [](const Value& value) { return value.is(Kind::boolean) && value.as_bool(); })},
      {"false", ask("false", [](const Value& value) { return value.is(Kind::boolean) && !value.as_bool(); })},
      {"number", ask("number", [](const Value& value) { return value.is_number(); })},
      {"sequence", ask("sequence", is_sequence)},
      {"iterable", ask("iterable", iterable)},
      // An undefined value has a __call__ (which raises), so Python calls it callable.
      {"callable", ask("callable",
                       [](const Value& value) {
                         return value.is(Kind::function) || value.is(Kind::undefined) || value.is(Kind::object);
                       })},
      {"escaped", ask("escaped", [](const Value& value) { return value.is(Kind::text) && value.text().safe; })},
      {"odd", remainder("odd", 1)},
      {"even", remainder("even", 0)},
      {"divisibleby", divisible_by},
      {"in", contained},
      {"lower", cased("lower", "islower")},
      {"upper", cased("upper", "isupper")},
      {"sameas", same},
      {"filter", known_filter},
      {"test", known_test},
  };
  static constexpr std::pair<const char*, const char*> kComparisons[] = {
      {"==", "=="}, {"eq", "=="}, {"equalto", "=="},    {"!=", "!="},      {"ne", "!="},
      {">", ">"},   {"gt", ">"},  {">=", ">="},         {"ge", ">="},      {"<", "<"},
      {"lt", "<"},  {"<=", "<="}, {"greaterthan", ">"}, {"lessthan", "<"}, {"le", "<="},
  };
  for (auto [name, operation] : kComparisons) out[name] = comparison(name, operation);
  return out;
}

}  // namespace

const std::map<std::string_view, Test>& tests() {
  static const auto kTests = make_tests();
  return kTests;
}

}  // namespace reveille::text::jinja
