#include "io/tensor_format.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace reveille::io {
namespace {

constexpr std::array<FormatTraits, 18> kTraits = {{
    {1, 8, false, at::kDouble},    // f64
    {1, 4, false, at::kFloat},     // f32
    {1, 2, false, at::kHalf},      // f16
    {1, 2, false, at::kBFloat16},  // bf16
    {1, 8, false, at::kLong},      // i64
    {1, 4, false, at::kInt},       // i32
    {1, 2, false, at::kShort},     // i16
    {1, 1, false, at::kChar},      // i8
    {1, 1, false, at::kByte},      // u8
    {1, 1, false, at::kBool},      // boolean
    {32, 18, true, at::kFloat},    // q4_0
    {32, 20, true, at::kFloat},    // q4_1
    {32, 22, true, at::kFloat},    // q5_0
    {32, 24, true, at::kFloat},    // q5_1
    {32, 34, true, at::kFloat},    // q8_0
    {256, 144, true, at::kFloat},  // q4_k
    {256, 176, true, at::kFloat},  // q5_k
    {256, 210, true, at::kFloat},  // q6_k
}};

}  // namespace

const FormatTraits& format_traits(TensorFormat format) {
  auto index = static_cast<std::size_t>(format);
  if (index >= kTraits.size()) fail(ErrorKind::internal, "format_traits: the format has no known layout");
  return kTraits[index];
}

std::optional<std::int64_t> element_count(const std::vector<std::int64_t>& shape) {
  std::int64_t product = 1;
  bool empty = false;
  for (std::int64_t size : shape) {
    if (size < 0) return std::nullopt;
    if (size == 0) empty = true;
    if (__builtin_mul_overflow(product, std::max<std::int64_t>(size, 1), &product)) return std::nullopt;
  }
  return empty ? 0 : product;
}

std::optional<std::uint64_t> stored_bytes(const std::vector<std::int64_t>& shape, std::int64_t block_elements,
                                          std::int64_t block_bytes) {
  auto elements = element_count(shape);
  if (!elements) return std::nullopt;
  std::int64_t row = shape.empty() ? 1 : shape.back();
  if (row % block_elements != 0) return std::nullopt;
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(*elements / block_elements, block_bytes, &bytes)) return std::nullopt;
  return static_cast<std::uint64_t>(bytes);
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

}  // namespace reveille::io
