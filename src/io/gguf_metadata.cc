#include "io/gguf_metadata.h"

#include <cstring>
#include <type_traits>
#include <utility>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::io {
namespace {

constexpr int kMaxNesting = 4;
constexpr std::uint64_t kMaxKeyBytes = 65535;  // the format's own limit
constexpr std::uint32_t kTypeCount = 13;

// Bytes of a scalar; 0 for strings and arrays, whose lengths stand in the file.
std::uint64_t scalar_bytes(GgufType type) {
  switch (type) {
    case GgufType::u8:
    case GgufType::i8:
    case GgufType::boolean: return 1;
    case GgufType::u16:
    case GgufType::i16: return 2;
    case GgufType::u32:
    case GgufType::i32:
    case GgufType::f32: return 4;
    case GgufType::u64:
    case GgufType::i64:
    case GgufType::f64: return 8;
    default: return 0;
  }
}

// `what` is "metadata key 'x'" throughout: built once a key, since arrays have many elements.
GgufType read_type(ByteReader& reader, const std::string& what) {
  auto number = reader.number<std::uint32_t>(what);
  if (number < kTypeCount) return static_cast<GgufType>(number);
  fail(ErrorKind::bad_input, cat(reader.where(), ": ", what, " has the unknown type ", number));
}

std::span<const std::byte> read_text(ByteReader& reader, std::string_view what) {
  return reader.take(reader.number<std::uint64_t>(what), what);
}

// The fewest bytes that an element of an array can take, which bounds their number.
std::uint64_t least_bytes(GgufType type) {
  if (type == GgufType::string) return 8;
  return type == GgufType::array ? 12 : scalar_bytes(type);
}

GgufValue read_value(ByteReader& reader, GgufType type, const std::string& what, int depth);

GgufValue read_array(ByteReader& reader, const std::string& what, int depth) {
  if (depth >= kMaxNesting) fail(ErrorKind::bad_input, cat(reader.where(), ": ", what, " has arrays nested too deep"));
  GgufValue value{GgufType::array};
  value.element = read_type(reader, what);
  value.count = reader.number<std::uint64_t>(what);
  if (value.count > reader.remaining() / least_bytes(value.element)) {
    fail(ErrorKind::bad_input,
         cat(reader.where(), ": ", what, " claims ", value.count, " elements, more than there is room for"),
         "the file is cut short or damaged: copy or download it again");
  }
  if (scalar_bytes(value.element) > 0) {
    value.raw = reader.take(value.count * scalar_bytes(value.element), what);
    return value;
  }
  // Strings and arrays say their own lengths, so they must be walked through.
  auto rest = reader.rest();
  std::uint64_t start = reader.offset();
  for (std::uint64_t i = 0; i < value.count; ++i) read_value(reader, value.element, what, depth + 1);
  value.raw = rest.first(reader.offset() - start);
  return value;
}

GgufValue read_value(ByteReader& reader, GgufType type, const std::string& what, int depth) {
  if (type == GgufType::array) return read_array(reader, what, depth);
  if (type == GgufType::string) return {type, GgufType::u8, 0, read_text(reader, what)};
  return {type, GgufType::u8, 0, reader.take(scalar_bytes(type), what)};
}

template <class T>
T number_at(const std::byte* bytes) {
  T value;
  std::memcpy(&value, bytes, sizeof value);
  return value;
}

// Calls use(number) with the number of a scalar type in its own C++ type; false for text.
template <class Use>
bool with_number(GgufType type, const std::byte* bytes, const Use& use) {
  switch (type) {
    case GgufType::u8: use(number_at<std::uint8_t>(bytes)); return true;
    case GgufType::i8: use(number_at<std::int8_t>(bytes)); return true;
    case GgufType::u16: use(number_at<std::uint16_t>(bytes)); return true;
    case GgufType::i16: use(number_at<std::int16_t>(bytes)); return true;
    case GgufType::u32: use(number_at<std::uint32_t>(bytes)); return true;
    case GgufType::i32: use(number_at<std::int32_t>(bytes)); return true;
    case GgufType::u64: use(number_at<std::uint64_t>(bytes)); return true;
    case GgufType::i64: use(number_at<std::int64_t>(bytes)); return true;
    case GgufType::f32: use(number_at<float>(bytes)); return true;
    case GgufType::f64: use(number_at<double>(bytes)); return true;
    case GgufType::boolean: use(number_at<std::uint8_t>(bytes) != 0); return true;
    default: return false;
  }
}

// The scalar as a T, when it is of that kind and its value fits.
template <class T>
std::optional<T> scalar_as(GgufType type, const std::byte* bytes) {
  std::optional<T> result;
  with_number(type, bytes, [&](auto value) {
    using V = decltype(value);
    if constexpr (std::is_same_v<T, bool> || std::is_same_v<V, bool>) {
      if constexpr (std::is_same_v<T, V>) result = value;
    } else if constexpr (std::is_floating_point_v<T>) {
      result = static_cast<T>(value);
    } else if constexpr (std::is_integral_v<V>) {
      if (std::in_range<T>(value)) result = static_cast<T>(value);
    }
  });
  return result;
}

// The elements of an array, one at a time: use(type, bytes of a scalar or characters of a string).
template <class Use>
void for_elements(const GgufValue& array, const Use& use) {
  ByteReader reader(array.raw, "");
  std::uint64_t bytes = scalar_bytes(array.element);
  for (std::uint64_t i = 0; i < array.count; ++i) {
    use(bytes > 0 ? reader.take(bytes, "") : read_text(reader, ""));
  }
}

[[noreturn]] void fail_kind(const std::string& where, std::string_view key, const GgufValue& value,
                            const char* wanted) {
  std::string found = gguf_type_name(value.type);
  if (value.type == GgufType::array) found += cat(" of ", gguf_type_name(value.element));
  fail(ErrorKind::bad_input, cat(where, ": metadata key '", key, "' should be ", wanted, ", found ", found));
}

template <class T>
std::optional<T> find_scalar(const GgufMetadata& metadata, const std::string& where, std::string_view key,
                             const char* wanted) {
  const GgufValue* value = metadata.find(key);
  if (!value) return std::nullopt;
  auto result = scalar_as<T>(value->type, value->raw.data());
  if (!result) fail_kind(where, key, *value, wanted);
  return result;
}

template <class T>
std::optional<std::vector<T>> find_numbers(const GgufMetadata& metadata, const std::string& where, std::string_view key,
                                           const char* wanted) {
  const GgufValue* value = metadata.find(key);
  if (!value) return std::nullopt;
  if (value->type != GgufType::array || scalar_bytes(value->element) == 0) fail_kind(where, key, *value, wanted);
  std::vector<T> numbers;
  numbers.reserve(value->count);
  GgufType type = value->element == GgufType::boolean && std::is_integral_v<T> ? GgufType::u8 : value->element;
  for_elements(*value, [&](std::span<const std::byte> bytes) {
    auto number = scalar_as<T>(type, bytes.data());
    if (!number) fail_kind(where, key, *value, wanted);
    numbers.push_back(*number);
  });
  return numbers;
}

Json json_of(const GgufValue& value, std::size_t max_items) {
  Json json;
  if (value.type == GgufType::string) return repair_utf8(as_text(value.raw));
  if (value.type != GgufType::array) {
    with_number(value.type, value.raw.data(), [&](auto number) { json = number; });
    return json;
  }
  if (value.count > max_items || value.element == GgufType::array) {
    return {{"array", gguf_type_name(value.element)}, {"length", value.count}};
  }
  json = Json::array();
  for_elements(value, [&](std::span<const std::byte> bytes) {
    json.push_back(json_of({value.element, GgufType::u8, 0, bytes}, max_items));
  });
  return json;
}

}  // namespace

const char* gguf_type_name(GgufType type) {
  constexpr const char* kNames[kTypeCount] = {"u8",   "i8",     "u16",   "i16", "u32", "i32", "f32",
                                              "bool", "string", "array", "u64", "i64", "f64"};
  return kNames[static_cast<std::uint32_t>(type)];
}

GgufMetadata GgufMetadata::parse(ByteReader& reader, std::uint64_t count) {
  constexpr std::uint64_t kSmallestPair = 8 + 4 + 1;
  GgufMetadata metadata;
  metadata.where_ = reader.where();
  if (count > reader.remaining() / kSmallestPair) {
    fail(ErrorKind::bad_input, cat(reader.where(), ": claims ", count, " metadata keys, more than it has room for"),
         "the file is cut short or damaged: copy or download it again");
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string key(as_text(read_text(reader, "a metadata key")));
    if (key.empty() || key.size() > kMaxKeyBytes || !is_utf8(key)) {
      fail(ErrorKind::bad_input, cat(reader.where(), ": metadata key ", i + 1, " ('", repair_utf8(key.substr(0, 64)),
                                     "') should be 1 to ", kMaxKeyBytes, " bytes of UTF-8"));
    }
    std::string what = cat("metadata key '", key, "'");
    GgufType type = read_type(reader, what);
    if (!metadata.values_.emplace(key, read_value(reader, type, what, 0)).second) {
      fail(ErrorKind::bad_input, cat(reader.where(), ": ", what, " is there twice"));
    }
    metadata.keys_.push_back(std::move(key));
  }
  return metadata;
}

const GgufValue* GgufMetadata::find(std::string_view key) const {
  auto found = values_.find(std::string(key));
  return found == values_.end() ? nullptr : &found->second;
}

std::optional<std::string> GgufMetadata::find_string(std::string_view key) const {
  const GgufValue* value = find(key);
  if (!value) return std::nullopt;
  if (value->type != GgufType::string) fail_kind(where_, key, *value, "a string");
  std::string text(as_text(value->raw));
  if (!is_utf8(text)) fail(ErrorKind::bad_input, cat(where_, ": metadata key '", key, "' is no valid UTF-8"));
  return text;
}

std::optional<std::vector<std::string>> GgufMetadata::find_strings(std::string_view key) const {
  const GgufValue* value = find(key);
  if (!value) return std::nullopt;
  if (value->type != GgufType::array || value->element != GgufType::string) {
    fail_kind(where_, key, *value, "an array of strings");
  }
  std::vector<std::string> strings;
  strings.reserve(value->count);
  for_elements(*value, [&](std::span<const std::byte> bytes) { strings.emplace_back(as_text(bytes)); });
  return strings;
}

std::optional<std::uint64_t> GgufMetadata::find_u64(std::string_view key) const {
  return find_scalar<std::uint64_t>(*this, where_, key, "an integer from 0");
}
std::optional<std::int64_t> GgufMetadata::find_i64(std::string_view key) const {
  return find_scalar<std::int64_t>(*this, where_, key, "an integer");
}
std::optional<double> GgufMetadata::find_f64(std::string_view key) const {
  return find_scalar<double>(*this, where_, key, "a number");
}
std::optional<bool> GgufMetadata::find_bool(std::string_view key) const {
  return find_scalar<bool>(*this, where_, key, "a truth value");
}
std::optional<std::vector<float>> GgufMetadata::find_floats(std::string_view key) const {
  return find_numbers<float>(*this, where_, key, "an array of numbers");
}
std::optional<std::vector<std::int64_t>> GgufMetadata::find_ints(std::string_view key) const {
  return find_numbers<std::int64_t>(*this, where_, key, "an array of integers");
}

namespace {
template <class T>
T require(std::optional<T> value, const std::string& where, std::string_view key) {
  if (!value) fail(ErrorKind::bad_input, cat(where, ": metadata key '", key, "' is missing"));
  return *std::move(value);
}
}  // namespace

std::string GgufMetadata::get_string(std::string_view key) const { return require(find_string(key), where_, key); }
std::uint64_t GgufMetadata::get_u64(std::string_view key) const { return require(find_u64(key), where_, key); }
std::int64_t GgufMetadata::get_i64(std::string_view key) const { return require(find_i64(key), where_, key); }
double GgufMetadata::get_f64(std::string_view key) const { return require(find_f64(key), where_, key); }
bool GgufMetadata::get_bool(std::string_view key) const { return require(find_bool(key), where_, key); }
std::vector<std::string> GgufMetadata::get_strings(std::string_view key) const {
  return require(find_strings(key), where_, key);
}
std::vector<float> GgufMetadata::get_floats(std::string_view key) const {
  return require(find_floats(key), where_, key);
}
std::vector<std::int64_t> GgufMetadata::get_ints(std::string_view key) const {
  return require(find_ints(key), where_, key);
}

Json GgufMetadata::to_json(std::size_t max_items) const {
  Json json = Json::object();
  for (const auto& key : keys_) json[key] = json_of(values_.at(key), max_items);
  return json;
}

}  // namespace reveille::io
