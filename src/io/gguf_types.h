// The tensor types of GGML, by the numbers that stand in GGUF files.
#pragma once

#include <cstdint>
#include <optional>

#include "io/tensor_format.h"

namespace reveille::io {

struct GgmlType {
  std::uint32_t number;
  const char* name;
  std::int64_t block_elements, block_bytes;
  TensorFormat format;  // `other` for what cannot be loaded
};

// Null for a number that no version of GGML up to 2026 gives out.
const GgmlType* find_ggml_type(std::uint32_t number);
// The GGML type of a format; null for formats that GGUF does not have (U8, BOOL).
const GgmlType* find_ggml_type_of(TensorFormat format);

}  // namespace reveille::io
