// safetensors files: one, or several with an index. Memory-mapped; nothing is copied before a
// tensor is loaded. A file must not shrink while it is open.
//
// Format: eight bytes of length, a JSON header {name: {dtype, shape, data_offsets}}, the data.
// As the reference implementation demands, the tensors fill the data without hole or overlap.
// Read are F64, F32, F16, BF16, I64, I32, I16, I8, U8 and BOOL; others are Error(unsupported).
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/files.h"
#include "io/tensor_source.h"

namespace reveille::io {

class SafetensorsSource : public TensorSource {
 public:
  // A .safetensors file, a .safetensors.index.json, or a folder that holds `stem`.safetensors or
  // `stem`.safetensors.index.json. Pickle files are refused.
  static std::unique_ptr<SafetensorsSource> open(const std::filesystem::path& path, const std::string& stem = "model");
  // The bytes must outlive the source.
  static std::unique_ptr<SafetensorsSource> from_memory(std::span<const std::byte> bytes, const std::string& where);

  // The header's __metadata__ (of several files, the union).
  const std::map<std::string, std::string>& metadata() const { return metadata_; }
  const std::vector<std::filesystem::path>& files() const { return files_; }

 private:
  using TensorSource::TensorSource;
  void add_bytes(std::span<const std::byte> bytes, const std::string& file);
  void add_file(const std::filesystem::path& path);
  void add_index(const std::filesystem::path& index);

  std::map<std::string, std::string> metadata_;
  std::vector<std::filesystem::path> files_;
  std::vector<std::unique_ptr<MappedFile>> mapped_;
};

}  // namespace reveille::io
