// Values of the template language: Python's, as far as templates see them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "text/jinja/text.h"

namespace reveille::text::jinja {

class Interpreter;
class Value;
struct Sequence;
struct Mapping;
struct Namespace;
struct Function;
struct Object;

// What a missing name or key gives: prints as nothing; almost any use of it is an Error.
struct Undefined {
  std::string message;  // what that Error says
};

// In the order of Value's variant.
enum class Kind { none, undefined, boolean, integer, real, text, sequence, mapping, name_space, function, object };

class Value {
 public:
  Value() = default;  // None
  Value(std::nullptr_t) {}
  Value(bool value) : data_(value) {}
  Value(std::int64_t value) : data_(value) {}
  Value(int value) : data_(std::int64_t{value}) {}
  Value(double value) : data_(value) {}
  Value(TextPtr text) : data_(std::move(text)) {}
  Value(std::string text) : data_(plain_text(std::move(text))) {}
  Value(const char* text) : data_(plain_text(text)) {}
  Value(std::shared_ptr<Sequence> sequence) : data_(std::move(sequence)) {}
  Value(std::shared_ptr<const Mapping> mapping) : data_(std::move(mapping)) {}
  Value(std::shared_ptr<Namespace> space) : data_(std::move(space)) {}
  Value(std::shared_ptr<const Function> function) : data_(std::move(function)) {}
  Value(std::shared_ptr<Object> object) : data_(std::move(object)) {}
  static Value undefined(std::string message);

  Kind kind() const { return static_cast<Kind>(data_.index()); }
  bool is(Kind kind) const { return this->kind() == kind; }
  bool is_number() const { return is(Kind::boolean) || is(Kind::integer) || is(Kind::real); }
  bool is_integral() const { return is(Kind::boolean) || is(Kind::integer); }

  // Each of these wants that kind.
  const Undefined& as_undefined() const { return *std::get<1>(data_); }
  bool as_bool() const { return std::get<2>(data_); }
  std::int64_t as_integer() const;  // bool counts as 0 or 1
  double as_real() const;           // any number
  const TextPtr& text_ptr() const { return std::get<TextPtr>(data_); }
  const Text& text() const { return *text_ptr(); }
  const std::string& bytes() const { return text_ptr()->bytes; }
  Sequence& sequence() const { return *std::get<std::shared_ptr<Sequence>>(data_); }
  const Mapping& mapping() const { return *std::get<std::shared_ptr<const Mapping>>(data_); }
  Namespace& space() const { return *std::get<std::shared_ptr<Namespace>>(data_); }
  const Function& function() const { return *std::get<std::shared_ptr<const Function>>(data_); }
  Object& object() const { return *std::get<std::shared_ptr<Object>>(data_); }
  const void* address() const;  // identity of what is held by pointer, else null

  bool truthy() const;
  const char* type_name() const;  // Python's: 'str', 'NoneType', 'jinja2.runtime.Undefined'
  // How deep it nests, and roughly how much work walking through it is.
  int depth() const;
  std::size_t weight() const;

 private:
  std::variant<std::monostate, std::shared_ptr<const Undefined>, bool, std::int64_t, double, TextPtr,
               std::shared_ptr<Sequence>, std::shared_ptr<const Mapping>, std::shared_ptr<Namespace>,
               std::shared_ptr<const Function>, std::shared_ptr<Object>>
      data_;
};

using Values = std::vector<Value>;

// What a call passes.
struct Args {
  Values positional;
  std::vector<std::pair<std::string, Value>> named;
};

enum class SequenceKind { list, tuple, range, keys, values, items, generator };

// Lists never change after they are made. A generator makes its items when first asked, and gives
// each of them once.
struct Sequence {
  SequenceKind kind = SequenceKind::list;
  Values items;
  std::int64_t start = 0, stop = 0, step = 1;  // of a range, for printing
  std::function<Values()> make;                // of a generator that has not begun
  std::size_t given = 0;                       // how many of its items a generator has given
  int depth = 1;
  std::size_t weight = 1;

  bool sized() const { return kind != SequenceKind::generator; }
  // `values` and the views cannot be subscripted.
  bool indexable() const { return kind <= SequenceKind::range; }
};

Value make_list(Values items);
Value make_tuple(Values items);
Value make_sequence(SequenceKind kind, Values items);
// `depth` is that of the value it draws from.
Value make_generator(std::function<Values()> make, int depth);

struct Mapping {
  std::vector<std::pair<Value, Value>> entries;  // in order of insertion
  std::unordered_multimap<std::size_t, std::size_t> index;
  int depth = 1;
  std::size_t weight = 1;

  const Value* find(const Value& key) const;
  const Value* find_name(std::string_view key) const;
  void set(Value key, Value value);  // an Error when the key cannot be hashed
};

// namespace(...): the only thing that a template may change.
struct Namespace {
  Mapping attributes;
};

struct Function {
  std::string name;  // as it prints in errors
  int depth = 1;     // of what it holds
  std::function<Value(Interpreter&, Args&)> call;
};

Value make_function(std::string name, std::function<Value(Interpreter&, Args&)> call, int depth = 1);

// `loop`, and whatever else has attributes of its own.
struct Object {
  virtual ~Object() = default;
  virtual const char* type_name() const = 0;
  virtual std::optional<Value> attribute(std::string_view name) = 0;
  virtual void clear() {}  // lets go of all values
};

// Deeper values than this are refused, so that no walk through them exhausts the stack.
constexpr int kMaxDepth = 100;
void check_depth(int depth);

// ==; deep, and never an error.
bool equal(const Value& left, const Value& right);
// <; an Error for types that Python does not order.
bool less(const Value& left, const Value& right);
bool hashable(const Value& value);
std::size_t hash_of(const Value& value);

// str() and repr(). `str_text` keeps the marks of a string.
TextPtr str_text(const Value& value);
std::string str(const Value& value);
std::string repr(const Value& value);
std::string repr_real(double value);

[[noreturn]] void fail_undefined(const Value& value);
[[noreturn]] void fail_type(const std::string& message);

}  // namespace reveille::text::jinja
