#include "io/safetensors_write.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <ostream>
#include <unordered_set>

#include "base/error.h"
#include "base/files.h"
#include "base/json.h"
#include "base/strings.h"
#include "io/tensor_convert.h"

namespace reveille::io {
namespace fs = std::filesystem;
namespace {

using Pointers = std::vector<const NamedTensor*>;

void check_names(const std::vector<NamedTensor>& tensors) {
  std::unordered_set<std::string> seen;
  for (const auto& [name, tensor] : tensors) {
    if (name.empty() || name == "__metadata__" || !is_utf8(name) || !seen.insert(name).second) {
      fail(ErrorKind::internal, cat("write_safetensors: the tensor name '", name, "' is invalid or given twice"));
    }
    if (!tensor.defined() || !format_of(tensor.scalar_type())) {
      fail(ErrorKind::internal, cat("write_safetensors: tensor '", name, "' has no type that safetensors knows"));
    }
  }
}

// Larger elements first, so that every tensor is aligned for its type.
void order_by_alignment(Pointers& tensors) {
  std::stable_sort(tensors.begin(), tensors.end(), [](const NamedTensor* a, const NamedTensor* b) {
    return a->tensor.element_size() > b->tensor.element_size();
  });
}

// The header is put together as text: a JSON tree that keeps its order looks keys up one by one.
std::string header_of(const Pointers& tensors, const SafetensorsMetadata& metadata) {
  std::string text = cat("{\"__metadata__\":", nlohmann::json(metadata).dump());
  std::uint64_t offset = 0;
  for (const NamedTensor* named : tensors) {
    std::uint64_t end = offset + named->tensor.nbytes();
    nlohmann::json shape = named->tensor.sizes().vec();
    text += cat(",", nlohmann::json(named->name).dump(), ":{\"dtype\":\"",
                safetensors_name(*format_of(named->tensor.scalar_type())), "\",\"shape\":", shape.dump(),
                ",\"data_offsets\":[", offset, ",", end, "]}");
    offset = end;
  }
  text += "}";
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

void write_one(const fs::path& path, Pointers tensors, const SafetensorsMetadata& metadata) {
  order_by_alignment(tensors);
  write_stream_atomic(path, [&](std::ostream& out) {
    std::string header = header_of(tensors, metadata);
    std::uint64_t length = header.size();
    out.write(reinterpret_cast<const char*>(&length), sizeof length);
    out.write(header.data(), static_cast<std::streamsize>(header.size()));
    for (const NamedTensor* named : tensors) {
      if (!out) return;  // the disk is full: no use in going on
      at::Tensor data = named->tensor.detach().to(at::kCPU).contiguous();
      out.write(static_cast<const char*>(data.data_ptr()), static_cast<std::streamsize>(data.nbytes()));
    }
  });
}

std::vector<Pointers> split_into_shards(const std::vector<NamedTensor>& tensors, std::uint64_t limit) {
  std::vector<Pointers> shards(1);
  std::uint64_t bytes = 0;
  for (const NamedTensor& named : tensors) {
    if (!shards.back().empty() && bytes + named.tensor.nbytes() > limit) {
      shards.emplace_back();
      bytes = 0;
    }
    shards.back().push_back(&named);
    bytes += named.tensor.nbytes();
  }
  return shards;
}

std::string shard_name(const std::string& stem, std::size_t number, std::size_t count) {
  char text[32];
  std::snprintf(text, sizeof text, "-%05zu-of-%05zu", number, count);
  return stem + text + ".safetensors";
}

void write_index(const fs::path& path, const std::vector<Pointers>& shards, const std::string& stem) {
  std::uint64_t total = 0;
  nlohmann::json map = nlohmann::json::object();
  for (std::size_t i = 0; i < shards.size(); ++i) {
    for (const NamedTensor* named : shards[i]) {
      total += named->tensor.nbytes();
      map[named->name] = shard_name(stem, i + 1, shards.size());
    }
  }
  nlohmann::json index = {{"metadata", {{"total_size", total}}}, {"weight_map", std::move(map)}};
  write_file_atomic(path, index.dump(2) + "\n");
}

}  // namespace

SafetensorsMetadata default_safetensors_metadata() { return {{"format", "pt"}}; }

void write_safetensors(const fs::path& path, const std::vector<NamedTensor>& tensors,
                       const SafetensorsMetadata& metadata) {
  check_names(tensors);
  Pointers all;
  for (const NamedTensor& named : tensors) all.push_back(&named);
  write_one(path, std::move(all), metadata);
}

std::vector<fs::path> write_safetensors_folder(const fs::path& folder, const std::vector<NamedTensor>& tensors,
                                               const ShardOptions& options) {
  check_names(tensors);
  auto shards = split_into_shards(tensors, options.max_shard_bytes);
  fs::path single = folder / (options.stem + ".safetensors");
  fs::path index = folder / (options.stem + ".safetensors.index.json");
  std::error_code ignored;
  if (shards.size() == 1) {
    write_one(single, shards[0], options.metadata);
    fs::remove(index, ignored);
    return {single};
  }
  std::vector<fs::path> files;
  for (std::size_t i = 0; i < shards.size(); ++i) {
    files.push_back(folder / shard_name(options.stem, i + 1, shards.size()));
    write_one(files.back(), shards[i], options.metadata);
  }
  write_index(index, shards, options.stem);
  fs::remove(single, ignored);  // readers would take it before the index
  return files;
}

}  // namespace reveille::io
