#include "io/tensor_convert.h"

#include <ATen/ATen.h>
#include <sys/mman.h>

#include <bit>
#include <cstring>

#include "base/error.h"
#include "base/strings.h"
#include "io/quant.h"

namespace reveille::io {
namespace {

static_assert(std::endian::native == std::endian::little, "model files are little endian, and are read as they are");

// Large tensors on huge pages: filling them for the first time costs a page fault every 2 MiB
// instead of every 4 KiB, which is most of the time that loading a quantised model takes.
void ask_for_huge_pages(void* data, std::size_t bytes) {
  constexpr std::uintptr_t kHugePage = 2U << 20;
  auto begin = (reinterpret_cast<std::uintptr_t>(data) + kHugePage - 1) & ~(kHugePage - 1);
  auto end = (reinterpret_cast<std::uintptr_t>(data) + bytes) & ~(kHugePage - 1);
  if (end > begin) ::madvise(reinterpret_cast<void*>(begin), end - begin, MADV_HUGEPAGE);
}

// A view of the bytes as a tensor; a copy where they are not aligned for their type.
at::Tensor stored_view(at::ScalarType type, std::span<const std::byte> bytes, at::IntArrayRef shape) {
  std::size_t size = c10::elementSize(type);
  if (reinterpret_cast<std::uintptr_t>(bytes.data()) % size != 0) {
    at::Tensor copy = at::empty(shape, at::TensorOptions(type));
    std::memcpy(copy.data_ptr(), bytes.data(), bytes.size());
    return copy;
  }
  // from_blob wants a mutable pointer; the view is only read from.
  return at::from_blob(const_cast<std::byte*>(bytes.data()), shape, at::TensorOptions(type));
}

void convert_plain(TensorFormat format, std::span<const std::byte> bytes, at::Tensor& out) {
  if (format == TensorFormat::boolean) {
    // Any byte may stand in the file, but a C++ bool holds 0 or 1 only.
    out.copy_(stored_view(at::kByte, bytes, out.sizes()).ne(0));
    return;
  }
  out.copy_(stored_view(format_traits(format).natural, bytes, out.sizes()));
}

void convert_quantised(TensorFormat format, std::span<const std::byte> bytes, at::Tensor& out) {
  if (out.is_contiguous() && out.scalar_type() == at::kFloat) {
    dequantise(format, bytes.data(), out.numel(), out.data_ptr<float>());
  } else if (out.is_contiguous() && out.scalar_type() == at::kBFloat16) {
    dequantise(format, bytes.data(), out.numel(), out.data_ptr<at::BFloat16>());
  } else {
    at::Tensor values = at::empty(out.sizes(), at::TensorOptions(at::kFloat));
    dequantise(format, bytes.data(), values.numel(), values.data_ptr<float>());
    out.copy_(values);
  }
}

}  // namespace

std::optional<TensorFormat> format_of(at::ScalarType type) {
  switch (type) {
    case at::kDouble: return TensorFormat::f64;
    case at::kFloat: return TensorFormat::f32;
    case at::kHalf: return TensorFormat::f16;
    case at::kBFloat16: return TensorFormat::bf16;
    case at::kLong: return TensorFormat::i64;
    case at::kInt: return TensorFormat::i32;
    case at::kShort: return TensorFormat::i16;
    case at::kChar: return TensorFormat::i8;
    case at::kByte: return TensorFormat::u8;
    case at::kBool: return TensorFormat::boolean;
    default: return std::nullopt;
  }
}

const char* safetensors_name(TensorFormat format) {
  switch (format) {
    case TensorFormat::f64: return "F64";
    case TensorFormat::f32: return "F32";
    case TensorFormat::f16: return "F16";
    case TensorFormat::bf16: return "BF16";
    case TensorFormat::i64: return "I64";
    case TensorFormat::i32: return "I32";
    case TensorFormat::i16: return "I16";
    case TensorFormat::i8: return "I8";
    case TensorFormat::u8: return "U8";
    case TensorFormat::boolean: return "BOOL";
    default: fail(ErrorKind::internal, "safetensors_name: safetensors has no such format");
  }
}

at::Tensor new_tensor(const std::vector<std::int64_t>& shape, at::ScalarType type, const std::string& what) {
  try {
    at::Tensor tensor = at::empty(shape, at::TensorOptions(type));
    if (tensor.numel() > 0) ask_for_huge_pages(tensor.data_ptr(), tensor.nbytes());
    return tensor;
  } catch (const c10::Error&) {
    double bytes = static_cast<double>(c10::elementSize(type));
    for (std::int64_t size : shape) bytes *= static_cast<double>(size);
    fail(ErrorKind::io, cat(what, ": no memory for a tensor of ", human_bytes(bytes)),
         "use a smaller model, or --dtype bfloat16");
  }
}

void convert_into(TensorFormat format, std::span<const std::byte> bytes, at::Tensor& out) {
  if (out.numel() == 0) return;
  format_traits(format).quantised ? convert_quantised(format, bytes, out) : convert_plain(format, bytes, out);
}

}  // namespace reveille::io
