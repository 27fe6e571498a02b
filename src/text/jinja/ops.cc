#include "text/jinja/ops.h"

#include <algorithm>

#include "base/error.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/methods.h"
#include "text/jinja/unicode.h"

namespace reveille::text::jinja {
namespace {

Value no_attribute(const Value& object, std::string_view name) {
  return Value::undefined(
      cat("'", object.type_name(), object.is(Kind::none) ? "'" : " object'", " has no attribute '", name, "'"));
}

// What Python's getattr finds, but for the keys of a dict.
std::optional<Value> own_attribute(const Value& object, const std::string& name) {
  if (const Method* method = find_method(object, name)) {
    auto call = [method, object](Interpreter& run, Args& args) { return (*method)(run, object, args); };
    return make_function(name, call, object.depth() + 1);
  }
  if (hidden_attribute(object, name)) {
    return Value::undefined(cat("access to attribute '", name, "' of '", object.type_name(), "' object is unsafe."));
  }
  if (object.is(Kind::object)) return object.object().attribute(name);
  if (!object.is(Kind::name_space) || name[0] == '_') return std::nullopt;
  const Value* found = object.space().attributes.find_name(name);
  return found ? std::optional(*found) : std::nullopt;
}

std::optional<Value> indexed(const Value& object, std::int64_t index) {
  bool is_text = object.is(Kind::text);
  if (!is_text && (!object.is(Kind::sequence) || !object.sequence().indexable())) return std::nullopt;
  std::int64_t size = length(object);
  if (index < 0) index += size;
  if (index < 0 || index >= size) return std::nullopt;
  auto at = static_cast<std::size_t>(index);
  if (!is_text) return object.sequence().items[at];
  const std::string& bytes = object.bytes();
  std::size_t begin = byte_of_char(bytes, at);
  return slice_text(object.text(), begin, begin + char_bytes(static_cast<unsigned char>(bytes[begin])));
}

std::optional<std::int64_t> slice_part(const Value& part) {
  if (part.is(Kind::none)) return std::nullopt;
  if (!part.is_integral()) fail_type(cat("a slice wants whole numbers, got a ", part.type_name()));
  return part.as_integer();
}

// PySlice_AdjustIndices: the indices that [start:stop:step] picks of `size` items.
std::vector<std::size_t> slice_indices(std::int64_t size, std::optional<std::int64_t> start,
                                       std::optional<std::int64_t> stop, std::int64_t step) {
  if (step == 0) fail_type("the step of a slice is zero");
  auto bound = [&](std::optional<std::int64_t> part, std::int64_t otherwise) {
    if (!part) return otherwise;
    std::int64_t low = step < 0 ? -1 : 0, high = step < 0 ? size - 1 : size;
    std::int64_t at = *part < 0 ? (*part < -size ? low : *part + size) : *part;
    return std::clamp(at, low, std::max(low, high));
  };
  std::int64_t at = bound(start, step < 0 ? size - 1 : 0), end = bound(stop, step < 0 ? -1 : size);
  std::vector<std::size_t> out;
  while (step > 0 ? at < end : at > end) {
    out.push_back(static_cast<std::size_t>(at));
    if (__builtin_add_overflow(at, step, &at)) break;
  }
  return out;
}

Value slice_of_text(const Text& text, std::optional<std::int64_t> start, std::optional<std::int64_t> stop,
                    std::int64_t step) {
  auto size = static_cast<std::int64_t>(count_chars(text.bytes));
  auto picked = slice_indices(size, start, stop, step);
  if (step == 1) {
    if (picked.empty()) {
      std::int64_t at = start ? std::clamp(*start < 0 ? *start + size : *start, std::int64_t{0}, size) : 0;
      std::size_t byte = byte_of_char(text.bytes, static_cast<std::size_t>(at));
      return slice_text(text, byte, byte);
    }
    std::size_t begin = byte_of_char(text.bytes, picked.front());
    return slice_text(text, begin, begin + byte_of_char(std::string_view(text.bytes).substr(begin), picked.size()));
  }
  std::vector<std::size_t> starts;
  for (std::size_t i = 0; i < text.bytes.size(); i += char_bytes(static_cast<unsigned char>(text.bytes[i])))
    starts.push_back(i);
  starts.push_back(text.bytes.size());
  TextBuilder out;
  for (std::size_t i : picked) out.add(text, starts[i], starts[i + 1]);
  return out.take(text.safe);
}

}  // namespace

Value get_attribute(const Value& object, const std::string& name) {
  if (object.is(Kind::undefined)) fail_undefined(object);
  if (auto own = own_attribute(object, name)) return *own;
  if (object.is(Kind::mapping)) {
    if (const Value* found = object.mapping().find_name(name)) return *found;
  }
  return no_attribute(object, name);
}

Value get_item(const Value& object, const Value& key) {
  if (object.is(Kind::undefined)) fail_undefined(object);
  if (object.is(Kind::mapping) && hashable(key)) {
    if (const Value* found = object.mapping().find(key)) return *found;
  }
  if (key.is_integral()) {
    if (auto found = indexed(object, key.as_integer())) return *found;
  }
  if (key.is(Kind::text)) {
    if (auto own = own_attribute(object, key.bytes())) return *own;
    return no_attribute(object, key.bytes());
  }
  return Value::undefined(cat("'", object.type_name(), " object' has no element ",
                              key.is_number() ? repr(key) : cat("of type ", key.type_name())));
}

Value get_slice(Interpreter& run, const Value& object, const Value& start, const Value& stop, const Value& step) {
  if (object.is(Kind::undefined)) fail_undefined(object);
  bool is_text = object.is(Kind::text);
  if (!is_text && (!object.is(Kind::sequence) || !object.sequence().indexable())) {
    fail_type(cat("a ", object.type_name(), " cannot be sliced"));
  }
  auto from = slice_part(start), to = slice_part(stop);
  std::int64_t by = slice_part(step).value_or(1);
  if (is_text) {
    run.step(object.weight());
    return slice_of_text(object.text(), from, to, by);
  }
  const Sequence& sequence = object.sequence();
  Values items;
  for (std::size_t i : slice_indices(static_cast<std::int64_t>(sequence.items.size()), from, to, by)) {
    items.push_back(sequence.items[i]);
  }
  run.step(items.size());
  if (sequence.kind == SequenceKind::range)
    fail(ErrorKind::unsupported, "a range is sliced; add the filter 'list' before it");
  return make_sequence(sequence.kind, std::move(items));
}

Values characters(const Text& text) {
  Values out;
  for (std::size_t i = 0; i < text.bytes.size();) {
    std::size_t end = i + char_bytes(static_cast<unsigned char>(text.bytes[i]));
    TextBuilder character;
    character.add(text, i, end);
    out.push_back(character.take());
    i = end;
  }
  return out;
}

bool iterable(const Value& value) {
  return value.is(Kind::undefined) || value.is(Kind::text) || value.is(Kind::sequence) || value.is(Kind::mapping) ||
         (value.is(Kind::object) && std::string_view(value.type_name()) == "LoopContext");
}

Iterator::Iterator(Interpreter& run, const Value& value) : source_(value) {
  switch (value.kind()) {
    case Kind::undefined: return;
    case Kind::text:
      // Every character becomes a value of its own, with its marks.
      run.step(value.bytes().size() + value.text().marks.size() * value.bytes().size() / 16);
      items_ = characters(value.text());
      return;
    case Kind::mapping:
      for (const auto& [key, held] : value.mapping().entries) items_.push_back(key);
      break;
    case Kind::sequence: {
      Sequence& sequence = value.sequence();
      generator_ = !sequence.sized();
      if (generator_ && sequence.make) sequence.items = std::exchange(sequence.make, nullptr)();
      if (!generator_) items_ = sequence.items;
      break;
    }
    default: fail_type(cat("a ", value.type_name(), " cannot be iterated"));
  }
  run.step(items_.size());
}

std::optional<Value> Iterator::next() {
  if (generator_) {
    Sequence& sequence = source_.sequence();
    if (sequence.given >= sequence.items.size()) return std::nullopt;
    return sequence.items[sequence.given++];
  }
  if (at_ >= items_.size()) return std::nullopt;
  return items_[at_++];
}

Values items_of(Interpreter& run, const Value& value) {
  Iterator iterator(run, value);
  Values out;
  while (auto item = iterator.next()) out.push_back(std::move(*item));
  run.step(out.size());
  return out;
}

std::int64_t length(const Value& value) {
  switch (value.kind()) {
    case Kind::undefined: return 0;
    case Kind::text: return static_cast<std::int64_t>(count_chars(value.bytes()));
    case Kind::mapping: return static_cast<std::int64_t>(value.mapping().entries.size());
    case Kind::sequence:
      if (value.sequence().sized()) return static_cast<std::int64_t>(value.sequence().items.size());
      [[fallthrough]];
    default: fail_type(cat("a ", value.type_name(), " has no length"));
  }
}

TextPtr escape_html(const Text& text) {
  if (text.safe) return std::make_shared<Text>(text);
  TextBuilder out;
  std::size_t begin = 0;
  auto flush = [&](std::size_t end) {
    out.add(text, begin, end);
    begin = end + 1;
  };
  for (std::size_t i = 0; i < text.bytes.size(); ++i) {
    const char* entity = nullptr;
    switch (text.bytes[i]) {
      case '&': entity = "&amp;"; break;
      case '<': entity = "&lt;"; break;
      case '>': entity = "&gt;"; break;
      case '\'': entity = "&#39;"; break;
      case '"': entity = "&#34;"; break;
      default: continue;
    }
    flush(i);
    out.add(entity);
  }
  flush(text.bytes.size());
  return out.take(true);
}

TextPtr add_texts(const Text& left, const Text& right) {
  if (left.safe == right.safe) return concat_text(left, right);
  return concat_text(left.safe ? left : *escape_html(left), right.safe ? right : *escape_html(right));
}

}  // namespace reveille::text::jinja
