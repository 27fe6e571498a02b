// Writes GGUF files (version 3) that llama.cpp and the Python package `gguf` read. The file
// appears whole or not at all; tensors are converted and written one by one.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/gguf_metadata.h"
#include "io/tensor_format.h"

namespace reveille::io {

class GgufWriter {
 public:
  // Sets general.architecture ("llama", "qwen2", ...), which must come first.
  explicit GgufWriter(std::string_view architecture);

  // A key that is set again keeps its place and takes the new value.
  void set_string(std::string_view key, std::string_view value);
  void set_bool(std::string_view key, bool value);
  void set_u32(std::string_view key, std::uint32_t value);
  void set_u64(std::string_view key, std::uint64_t value);
  void set_i32(std::string_view key, std::int32_t value);
  void set_f32(std::string_view key, float value);
  void set_strings(std::string_view key, const std::vector<std::string>& values);
  void set_floats(std::string_view key, const std::vector<float>& values);
  void set_ints(std::string_view key, const std::vector<std::int32_t>& values);
  void set_bools(std::string_view key, const std::vector<bool>& values);
  // As it stands in another file.
  void set_value(std::string_view key, const GgufValue& value);

  // `format` is f32, f16, bf16 or q8_0 (whose rows must be multiples of 32 long). At most four
  // dimensions, torch's order. The tensor may be on any device and of any floating-point type;
  // it is read when write() is called.
  void add_tensor(std::string_view name, at::Tensor tensor, TensorFormat format);
  static bool can_store(const at::Tensor& tensor, TensorFormat format);

  // Error(numeric), naming the tensor, for values that the format cannot hold.
  void write(const std::filesystem::path& path) const;

 private:
  struct Tensor {
    std::string name;
    at::Tensor value;
    TensorFormat format;
    std::uint64_t bytes;
  };
  void set(std::string_view key, std::string encoded);
  std::string header() const;

  std::vector<std::string> keys_;
  std::unordered_map<std::string, std::string> values_;  // type and value, encoded
  std::vector<Tensor> tensors_;
};

}  // namespace reveille::io
