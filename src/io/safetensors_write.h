// Writes safetensors files as save_pretrained of transformers does. Each file appears whole or
// not at all; tensors are fetched and written one by one, so that memory holds no second copy.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace reveille::io {

// A tensor on any device, of a type that safetensors knows; it need not be contiguous.
struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};

using SafetensorsMetadata = std::map<std::string, std::string>;

// {"format": "pt"}: without it transformers refuses a file.
SafetensorsMetadata default_safetensors_metadata();

void write_safetensors(const std::filesystem::path& path, const std::vector<NamedTensor>& tensors,
                       const SafetensorsMetadata& metadata = default_safetensors_metadata());

struct ShardOptions {
  std::string stem = "model";
  std::uint64_t max_shard_bytes = 5'000'000'000;  // of tensor data; a larger tensor gets a shard of its own
  SafetensorsMetadata metadata = default_safetensors_metadata();
};

// `stem`.safetensors, or `stem`-00001-of-0000N.safetensors and `stem`.safetensors.index.json.
// An index or single file of the same stem that an earlier write left is removed. Returns the
// files of tensors.
std::vector<std::filesystem::path> write_safetensors_folder(const std::filesystem::path& folder,
                                                            const std::vector<NamedTensor>& tensors,
                                                            const ShardOptions& options = {});

}  // namespace reveille::io
