// How the elements of a stored tensor are laid out in a file.
//
// Plain formats hold one element a block; quantised ones (GGML's Qx_y) hold 32 or 256 elements
// a block, along the last dimension of the tensor.
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace reveille::io {

enum class TensorFormat {
  f64,
  f32,
  f16,
  bf16,
  i64,
  i32,
  i16,
  i8,
  u8,
  boolean,
  q4_0,
  q4_1,
  q5_0,
  q5_1,
  q8_0,
  q4_k,
  q5_k,
  q6_k,
  other,  // named and measured, but its values cannot be read
};

struct FormatTraits {
  std::int64_t block_elements;  // elements a block
  std::int64_t block_bytes;     // bytes a block
  bool quantised;
  at::ScalarType natural;  // what its values become when nothing else is asked for
};

// Internal error for `other`, whose sizes only the file format knows.
const FormatTraits& format_traits(TensorFormat format);

// Number of elements of a shape; nothing when a dimension is negative or the product (with
// zeros counted as ones, as strides need it) does not fit 63 bits.
std::optional<std::int64_t> element_count(const std::vector<std::int64_t>& shape);

// Bytes that a tensor takes; nothing when element_count is nothing, the last dimension is no
// multiple of the block, or the size does not fit 63 bits.
std::optional<std::uint64_t> stored_bytes(const std::vector<std::int64_t>& shape, std::int64_t block_elements,
                                          std::int64_t block_bytes);

// "[3, 4]"
std::string shape_text(const std::vector<std::int64_t>& shape);

}  // namespace reveille::io
