#include "text/jinja/value.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"

namespace reveille::text::jinja {
namespace {

constexpr std::size_t kMaxWeight = std::numeric_limits<std::size_t>::max() / 4;

void account(const Value& value, int& depth, std::size_t& weight) {
  depth = std::max(depth, value.depth() + 1);
  weight = std::min(kMaxWeight, weight + value.weight());
}

bool equal_items(const Values& left, const Values& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(), equal);
}

bool equal_sequences(const Sequence& left, const Sequence& right) {
  if (&left == &right) return true;
  if (left.kind == SequenceKind::generator || left.kind == SequenceKind::values || left.kind != right.kind)
    return false;
  if (left.kind != SequenceKind::keys && left.kind != SequenceKind::items) return equal_items(left.items, right.items);
  auto holds = [&](const Value& wanted) {
    return std::any_of(right.items.begin(), right.items.end(), [&](const Value& item) { return equal(item, wanted); });
  };
  return left.items.size() == right.items.size() && std::all_of(left.items.begin(), left.items.end(), holds);
}

bool equal_mappings(const Mapping& left, const Mapping& right) {
  if (left.entries.size() != right.entries.size()) return false;
  return std::all_of(left.entries.begin(), left.entries.end(), [&](const auto& entry) {
    const Value* other = right.find(entry.first);
    return other && equal(entry.second, *other);
  });
}

// -1, 0, 1; an integer is compared with a float exactly enough for what templates count.
int compare_numbers(const Value& left, const Value& right, bool& unordered) {
  if (left.is_integral() && right.is_integral()) {
    auto a = left.as_integer(), b = right.as_integer();
    return a < b ? -1 : a > b;
  }
  double a = left.as_real(), b = right.as_real();
  unordered = std::isnan(a) || std::isnan(b);
  return a < b ? -1 : a > b;
}

}  // namespace

Value Value::undefined(std::string message) {
  Value value;
  value.data_ = std::make_shared<const Undefined>(Undefined{std::move(message)});
  return value;
}

std::int64_t Value::as_integer() const { return is(Kind::boolean) ? as_bool() : std::get<std::int64_t>(data_); }

double Value::as_real() const { return is(Kind::real) ? std::get<double>(data_) : static_cast<double>(as_integer()); }

const void* Value::address() const {
  return std::visit(
      [](const auto& held) -> const void* {
        if constexpr (requires { held.get(); }) {
          return held.get();
        } else {
          return nullptr;
        }
      },
      data_);
}

bool Value::truthy() const {
  switch (kind()) {
    case Kind::none:
    case Kind::undefined: return false;
    case Kind::boolean: return as_bool();
    case Kind::integer: return as_integer() != 0;
    case Kind::real: return as_real() != 0;
    case Kind::text: return !bytes().empty();
    case Kind::sequence: return !sequence().sized() || !sequence().items.empty();
    case Kind::mapping: return !mapping().entries.empty();
    default: return true;
  }
}

const char* Value::type_name() const {
  static constexpr const char* kSequences[] = {"list",        "tuple",      "range",    "dict_keys",
                                               "dict_values", "dict_items", "generator"};
  switch (kind()) {
    case Kind::none: return "None";
    case Kind::undefined: return "Undefined";
    case Kind::boolean: return "bool";
    case Kind::integer: return "int";
    case Kind::real: return "float";
    case Kind::text: return "str";
    case Kind::sequence: return kSequences[static_cast<int>(sequence().kind)];
    case Kind::mapping: return "dict";
    case Kind::name_space: return "namespace";
    case Kind::function: return "function";
    case Kind::object: return object().type_name();
  }
  return "object";
}

int Value::depth() const {
  switch (kind()) {
    case Kind::sequence: return sequence().depth;
    case Kind::mapping: return mapping().depth;
    case Kind::function: return function().depth;
    default: return 1;
  }
}

std::size_t Value::weight() const {
  switch (kind()) {
    case Kind::text: return 1 + bytes().size() / 64;
    case Kind::sequence: return sequence().weight;
    case Kind::mapping: return mapping().weight;
    default: return 1;
  }
}

void check_depth(int depth) {
  if (depth > kMaxDepth) {
    fail(ErrorKind::bad_input, cat("the template nests values deeper than the limit of ", kMaxDepth));
  }
}

Value make_sequence(SequenceKind kind, Values items) {
  auto out = std::make_shared<Sequence>();
  out->kind = kind;
  out->items = std::move(items);
  for (const Value& item : out->items) account(item, out->depth, out->weight);
  check_depth(out->depth);
  return out;
}

Value make_list(Values items) { return make_sequence(SequenceKind::list, std::move(items)); }
Value make_tuple(Values items) { return make_sequence(SequenceKind::tuple, std::move(items)); }

Value make_generator(std::function<Values()> make, int depth) {
  auto out = std::make_shared<Sequence>();
  out->kind = SequenceKind::generator;
  out->make = std::move(make);
  out->depth = depth + 1;
  check_depth(out->depth);
  return out;
}

Value make_function(std::string name, std::function<Value(Interpreter&, Args&)> call, int depth) {
  check_depth(depth);
  return std::make_shared<const Function>(Function{std::move(name), depth, std::move(call)});
}

const Value* Mapping::find(const Value& key) const {
  auto [first, last] = index.equal_range(hash_of(key));
  for (; first != last; ++first) {
    const auto& entry = entries[first->second];
    if (equal(entry.first, key)) return &entry.second;
  }
  return nullptr;
}

const Value* Mapping::find_name(std::string_view key) const {
  auto [first, last] = index.equal_range(std::hash<std::string_view>{}(key));
  for (; first != last; ++first) {
    const auto& entry = entries[first->second];
    if (entry.first.is(Kind::text) && entry.first.bytes() == key) return &entry.second;
  }
  return nullptr;
}

void Mapping::set(Value key, Value value) {
  if (!hashable(key)) fail_type(cat("a ", key.type_name(), " cannot be the key of a dict"));
  account(key, depth, weight);
  account(value, depth, weight);
  check_depth(depth);
  if (const Value* old = find(key)) {
    *const_cast<Value*>(old) = std::move(value);
    return;
  }
  index.emplace(hash_of(key), entries.size());
  entries.emplace_back(std::move(key), std::move(value));
}

bool equal(const Value& left, const Value& right) {
  if (left.is_number() && right.is_number()) {
    bool unordered = false;
    return compare_numbers(left, right, unordered) == 0 && !unordered;
  }
  if (left.kind() != right.kind()) return false;
  switch (left.kind()) {
    case Kind::none:
    case Kind::undefined: return true;
    case Kind::text: return left.bytes() == right.bytes();
    case Kind::sequence: return equal_sequences(left.sequence(), right.sequence());
    case Kind::mapping: return equal_mappings(left.mapping(), right.mapping());
    default: return left.address() == right.address();
  }
}

bool less(const Value& left, const Value& right) {
  if (left.is_number() && right.is_number()) {
    bool unordered = false;
    return compare_numbers(left, right, unordered) < 0 && !unordered;
  }
  if (left.is(Kind::text) && right.is(Kind::text)) return left.bytes() < right.bytes();
  if (left.is(Kind::undefined)) fail_undefined(left);
  if (right.is(Kind::undefined)) fail_undefined(right);
  bool ordered = left.is(Kind::sequence) && right.is(Kind::sequence) && left.sequence().kind == right.sequence().kind &&
                 left.sequence().kind <= SequenceKind::tuple;
  if (!ordered) fail_type(cat("cannot order a ", left.type_name(), " and a ", right.type_name()));
  const Values &a = left.sequence().items, &b = right.sequence().items;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
    if (!equal(a[i], b[i])) return less(a[i], b[i]);
  }
  return a.size() < b.size();
}

bool hashable(const Value& value) {
  if (value.is(Kind::mapping)) return false;
  if (!value.is(Kind::sequence)) return true;
  const Sequence& sequence = value.sequence();
  if (sequence.kind == SequenceKind::tuple) return std::all_of(sequence.items.begin(), sequence.items.end(), hashable);
  return sequence.kind == SequenceKind::range || sequence.kind == SequenceKind::generator ||
         sequence.kind == SequenceKind::values;
}

std::size_t hash_of(const Value& value) {
  if (value.is_number()) return std::hash<double>{}(value.as_real());
  if (value.is(Kind::text)) return std::hash<std::string_view>{}(value.bytes());
  if (value.is(Kind::sequence) && value.sequence().sized() && value.sequence().kind != SequenceKind::values) {
    std::size_t hash = 17;
    for (const Value& item : value.sequence().items) hash = hash * 31 + hash_of(item);
    return hash;
  }
  return value.is(Kind::none) || value.is(Kind::undefined) ? 7 : std::hash<const void*>{}(value.address());
}

void fail_undefined(const Value& value) { fail(ErrorKind::bad_input, value.as_undefined().message); }
void fail_type(const std::string& message) { fail(ErrorKind::bad_input, message); }

}  // namespace reveille::text::jinja
