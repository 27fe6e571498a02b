#include "io/gguf_write.h"

#include <ATen/ATen.h>

#include <ostream>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "io/gguf_types.h"
#include "io/quant.h"

namespace reveille::io {
namespace {

constexpr std::uint64_t kAlignment = 32;
constexpr std::size_t kMaxNameBytes = 63;  // GGML_MAX_NAME less its closing zero
constexpr std::int64_t kMaxDimensions = 4;

std::uint64_t padding_after(std::uint64_t bytes) { return (kAlignment - bytes % kAlignment) % kAlignment; }

template <class T>
void put(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_text(std::string& out, std::string_view text) {
  put<std::uint64_t>(out, text.size());
  out += text;
}

std::string typed(GgufType type) {
  std::string out;
  put(out, static_cast<std::uint32_t>(type));
  return out;
}

template <class T>
std::string scalar(GgufType type, T value) {
  std::string out = typed(type);
  put(out, value);
  return out;
}

std::string array_start(GgufType element, std::uint64_t count) {
  std::string out = typed(GgufType::array);
  put(out, static_cast<std::uint32_t>(element));
  put(out, count);
  return out;
}

void put_padding(std::ostream& out, std::uint64_t bytes) {
  constexpr char kZeros[kAlignment] = {};
  out.write(kZeros, static_cast<std::streamsize>(padding_after(bytes)));
}

[[noreturn]] void fail_range(const std::string& name, const char* format) {
  fail(ErrorKind::numeric, cat("tensor '", name, "' has values that ", format, " cannot hold"),
       "write the model as BF16, or as F32; NaN or infinity means that training diverged");
}

// The tensor's elements as the file holds them.
at::Tensor encoded(const std::string& name, const at::Tensor& value, TensorFormat format) {
  at::Tensor cpu = value.detach().to(at::kCPU);
  if (format != TensorFormat::q8_0) {
    at::Tensor plain = cpu.to(format_traits(format).natural).contiguous();
    if (format == TensorFormat::f16 && !plain.isfinite().all().item<bool>()) fail_range(name, "F16");
    return plain;
  }
  at::Tensor floats = cpu.to(at::kFloat).contiguous();
  at::Tensor blocks = at::empty({floats.numel() / 32 * 34}, at::TensorOptions(at::kByte));
  auto* out = static_cast<std::byte*>(blocks.data_ptr());
  if (!quantise_q8_0(floats.data_ptr<float>(), floats.numel(), out)) fail_range(name, "Q8_0");
  return blocks;
}

}  // namespace

GgufWriter::GgufWriter(std::string_view architecture) { set_string("general.architecture", architecture); }

void GgufWriter::set(std::string_view key, std::string encoded) {
  if (key.empty() || !is_utf8(key)) fail(ErrorKind::internal, cat("GgufWriter: invalid metadata key '", key, "'"));
  if (values_.insert_or_assign(std::string(key), std::move(encoded)).second) keys_.emplace_back(key);
}

void GgufWriter::set_string(std::string_view key, std::string_view value) {
  std::string out = typed(GgufType::string);
  put_text(out, value);
  set(key, std::move(out));
}

void GgufWriter::set_bool(std::string_view key, bool value) {
  set(key, scalar<std::uint8_t>(GgufType::boolean, value ? 1 : 0));
}
void GgufWriter::set_u32(std::string_view key, std::uint32_t value) { set(key, scalar(GgufType::u32, value)); }
void GgufWriter::set_u64(std::string_view key, std::uint64_t value) { set(key, scalar(GgufType::u64, value)); }
void GgufWriter::set_i32(std::string_view key, std::int32_t value) { set(key, scalar(GgufType::i32, value)); }
void GgufWriter::set_f32(std::string_view key, float value) { set(key, scalar(GgufType::f32, value)); }

void GgufWriter::set_strings(std::string_view key, const std::vector<std::string>& values) {
  std::string out = array_start(GgufType::string, values.size());
  for (const auto& value : values) put_text(out, value);
  set(key, std::move(out));
}

void GgufWriter::set_floats(std::string_view key, const std::vector<float>& values) {
  std::string out = array_start(GgufType::f32, values.size());
  for (float value : values) put(out, value);
  set(key, std::move(out));
}

void GgufWriter::set_ints(std::string_view key, const std::vector<std::int32_t>& values) {
  std::string out = array_start(GgufType::i32, values.size());
  for (std::int32_t value : values) put(out, value);
  set(key, std::move(out));
}

void GgufWriter::set_bools(std::string_view key, const std::vector<bool>& values) {
  std::string out = array_start(GgufType::boolean, values.size());
  for (bool value : values) put<std::uint8_t>(out, value ? 1 : 0);
  set(key, std::move(out));
}

void GgufWriter::set_value(std::string_view key, const GgufValue& value) {
  std::string out = value.type == GgufType::array ? array_start(value.element, value.count) : typed(value.type);
  if (value.type == GgufType::string) put<std::uint64_t>(out, value.raw.size());
  out += as_text(value.raw);
  set(key, std::move(out));
}

bool GgufWriter::can_store(const at::Tensor& tensor, TensorFormat format) {
  if (tensor.dim() > kMaxDimensions || !tensor.is_floating_point()) return false;
  if (format == TensorFormat::q8_0) return tensor.dim() > 0 && tensor.size(-1) % 32 == 0;
  return format == TensorFormat::f32 || format == TensorFormat::f16 || format == TensorFormat::bf16;
}

void GgufWriter::add_tensor(std::string_view name, at::Tensor tensor, TensorFormat format) {
  if (!can_store(tensor, format)) {
    fail(ErrorKind::unsupported,
         cat("tensor '", name, "' of shape ", shape_text(tensor.sizes().vec()),
             " cannot be stored in the GGUF format asked for"),
         "use F16, BF16 or F32 for it");
  }
  bool twice = std::any_of(tensors_.begin(), tensors_.end(), [&](const Tensor& other) { return other.name == name; });
  if (name.empty() || name.size() > kMaxNameBytes || !is_utf8(name) || twice) {
    fail(ErrorKind::internal, cat("GgufWriter: the tensor name '", name, "' is invalid, too long or given twice"));
  }
  const GgmlType& type = *find_ggml_type_of(format);
  std::uint64_t bytes = *stored_bytes(tensor.sizes().vec(), type.block_elements, type.block_bytes);
  tensors_.push_back({std::string(name), std::move(tensor), format, bytes});
}

std::string GgufWriter::header() const {
  std::string out = "GGUF";
  put<std::uint32_t>(out, 3);
  put<std::uint64_t>(out, tensors_.size());
  put<std::uint64_t>(out, keys_.size());
  for (const auto& key : keys_) {
    put_text(out, key);
    out += values_.at(key);
  }
  std::uint64_t offset = 0;
  for (const auto& tensor : tensors_) {
    put_text(out, tensor.name);
    put(out, static_cast<std::uint32_t>(tensor.value.dim()));
    for (std::int64_t i = tensor.value.dim(); i-- > 0;) put<std::uint64_t>(out, tensor.value.size(i));
    put(out, find_ggml_type_of(tensor.format)->number);
    put(out, offset);
    offset += tensor.bytes + padding_after(tensor.bytes);
  }
  return out;
}

void GgufWriter::write(const std::filesystem::path& path) const {
  write_stream_atomic(path, [&](std::ostream& out) {
    std::string start = header();
    out.write(start.data(), static_cast<std::streamsize>(start.size()));
    put_padding(out, start.size());
    for (const auto& tensor : tensors_) {
      if (!out) return;  // the disk is full: no use in going on
      at::Tensor data = encoded(tensor.name, tensor.value, tensor.format);
      out.write(static_cast<const char*>(data.data_ptr()), static_cast<std::streamsize>(tensor.bytes));
      put_padding(out, tensor.bytes);
    }
  });
}

}  // namespace reveille::io
