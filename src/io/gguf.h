// GGUF files: metadata and tensors of one file, as llama.cpp's tools write them. Memory-mapped.
// A file must not shrink while it is open.
//
// Versions 2 and 3, little endian. Tensors of any known GGML type are listed; F64, F32, F16,
// BF16, I8 to I64, Q4_0, Q4_1, Q5_0, Q5_1, Q8_0, Q4_K, Q5_K and Q6_K can be loaded, the others
// are Error(unsupported) when they are. Shapes are given in torch's order (GGUF's reversed).
// Specification: docs/gguf.md of ggml.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

#include "base/files.h"
#include "io/gguf_metadata.h"
#include "io/tensor_source.h"

namespace reveille::io {

class GgufFile : public TensorSource {
 public:
  static std::unique_ptr<GgufFile> open(const std::filesystem::path& path);
  // The bytes must outlive the file.
  static std::unique_ptr<GgufFile> from_memory(std::span<const std::byte> bytes, const std::string& where);

  const GgufMetadata& metadata() const { return metadata_; }
  std::uint32_t version() const { return version_; }

 private:
  using TensorSource::TensorSource;
  void parse(std::span<const std::byte> bytes);

  std::unique_ptr<MappedFile> mapped_;
  GgufMetadata metadata_;
  std::uint32_t version_ = 0;
};

}  // namespace reveille::io
