// The metadata of a GGUF file: typed values by key. Values stay where they are in the file and
// are decoded when asked for, so an array of a million tokens costs nothing until then.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "io/byte_reader.h"

namespace reveille::io {

enum class GgufType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

const char* gguf_type_name(GgufType type);

// A value as it stands in the file, checked to lie within it.
struct GgufValue {
  GgufType type = GgufType::u8;
  GgufType element = GgufType::u8;  // arrays: the type of the elements
  std::uint64_t count = 0;          // arrays: how many
  // A scalar's bytes, a string's characters, or all elements of an array as stored.
  std::span<const std::byte> raw;
};

class GgufMetadata {
 public:
  // Reads `count` pairs. Error(bad_input) for keys that are no UTF-8 or stand twice, unknown
  // types, lengths beyond the file, and arrays nested deeper than 4.
  static GgufMetadata parse(ByteReader& reader, std::uint64_t count);

  const std::vector<std::string>& keys() const { return keys_; }
  // Null when there is no such key.
  const GgufValue* find(std::string_view key) const;

  // Each `find_` yields nothing for an absent key and throws for a value of another kind; each
  // `get_` throws for both. Errors name file and key. Integers of any width are one kind,
  // numbers (get_f64) include them. Text must be UTF-8, but tokens in arrays may be any bytes.
  std::optional<std::string> find_string(std::string_view key) const;
  std::optional<std::uint64_t> find_u64(std::string_view key) const;
  std::optional<std::int64_t> find_i64(std::string_view key) const;
  std::optional<double> find_f64(std::string_view key) const;
  std::optional<bool> find_bool(std::string_view key) const;
  std::optional<std::vector<std::string>> find_strings(std::string_view key) const;
  std::optional<std::vector<float>> find_floats(std::string_view key) const;
  std::optional<std::vector<std::int64_t>> find_ints(std::string_view key) const;  // truth values count as 0 and 1

  std::string get_string(std::string_view key) const;
  std::uint64_t get_u64(std::string_view key) const;
  std::int64_t get_i64(std::string_view key) const;
  double get_f64(std::string_view key) const;
  bool get_bool(std::string_view key) const;
  std::vector<std::string> get_strings(std::string_view key) const;
  std::vector<float> get_floats(std::string_view key) const;
  std::vector<std::int64_t> get_ints(std::string_view key) const;

  // For people: arrays longer than `max_items` become {"array": type, "length": n}.
  Json to_json(std::size_t max_items = 16) const;

 private:
  std::string where_;
  std::vector<std::string> keys_;
  std::unordered_map<std::string, GgufValue> values_;
};

}  // namespace reveille::io
