// From stored bytes to torch tensors.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "io/tensor_format.h"

namespace reveille::io {

// The format that holds a torch type as it is; nothing for types that files do not hold.
std::optional<TensorFormat> format_of(at::ScalarType type);
// The name that safetensors gives to a plain format: "F32", "BF16", "BOOL".
const char* safetensors_name(TensorFormat format);

// A new contiguous CPU tensor, its values unset. Error(io) when there is no memory for it.
at::Tensor new_tensor(const std::vector<std::int64_t>& shape, at::ScalarType type, const std::string& what);

// Fills `out` (CPU, the tensor's shape) from the bytes of a stored tensor, whose size was checked.
void convert_into(TensorFormat format, std::span<const std::byte> bytes, at::Tensor& out);

}  // namespace reveille::io
