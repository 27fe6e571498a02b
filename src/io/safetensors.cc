#include "io/safetensors.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "io/byte_reader.h"
#include "io/safetensors_header.h"
#include "io/weight_file.h"

namespace reveille::io {
namespace fs = std::filesystem;
namespace {

constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;  // the reference implementation's limit
constexpr std::uint64_t kMaxIndexBytes = 100'000'000;

// Shard of each tensor. A std::map-based tree: our usual, ordered one looks keys up one by one,
// and indices of large models have a hundred thousand.
std::map<std::string, std::string> read_weight_map(const fs::path& index) {
  std::string where = index.string();
  std::error_code error;
  if (fs::file_size(index, error) > kMaxIndexBytes && !error) {
    fail(ErrorKind::bad_input, cat(where, " is larger than ", human_bytes(kMaxIndexBytes)));
  }
  auto json = nlohmann::json::parse(read_file(index), nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) fail(ErrorKind::bad_input, cat(where, ": not valid JSON"));
  if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object()) {
    fail(ErrorKind::bad_input, cat(where, ": key 'weight_map' should be an object {tensor: file}"));
  }
  std::map<std::string, std::string> map;
  for (const auto& [name, shard] : json["weight_map"].items()) {
    if (!shard.is_string())
      fail(ErrorKind::bad_input, cat(where, ": weight_map of '", name, "' should be a file name"));
    std::string file = shard.get<std::string>();
    // A name and not a path: an index must not reach out of its folder.
    if (fs::path(file).filename() != file || file.empty() || file == "." || file == "..") {
      fail(ErrorKind::bad_input, cat(where, ": weight_map names '", file, "', expected a file of the same folder"));
    }
    map.emplace(name, std::move(file));
  }
  return map;
}

fs::path find_in_folder(const fs::path& folder, const std::string& stem) {
  // As transformers does, a single file comes before an index.
  for (const char* ending : {".safetensors", ".safetensors.index.json"}) {
    fs::path path = folder / (stem + ending);
    if (fs::is_regular_file(path)) return path;
  }
  refuse_pickle_folder(folder);
  fail(ErrorKind::not_found,
       cat(folder.string(), " holds no weights: expected ", stem, ".safetensors or ", stem, ".safetensors.index.json"));
}

}  // namespace

std::unique_ptr<SafetensorsSource> SafetensorsSource::open(const fs::path& path, const std::string& stem) {
  fs::path file = fs::is_directory(path) ? find_in_folder(path, stem) : path;
  std::unique_ptr<SafetensorsSource> source(new SafetensorsSource(path.string()));
  if (file.extension() == ".json") {
    source->add_index(file);
  } else {
    source->add_file(file);
  }
  return source;
}

std::unique_ptr<SafetensorsSource> SafetensorsSource::from_memory(std::span<const std::byte> bytes,
                                                                  const std::string& where) {
  std::unique_ptr<SafetensorsSource> source(new SafetensorsSource(where));
  source->add_bytes(bytes, where);
  return source;
}

void SafetensorsSource::add_bytes(std::span<const std::byte> bytes, const std::string& file) {
  ByteReader reader(bytes, file);
  auto length = reader.number<std::uint64_t>("the header's length");
  if (length > kMaxHeaderBytes || length > reader.remaining()) {
    fail(ErrorKind::bad_input,
         cat(file, ": the header's length is ", length, ", but ", reader.remaining(), " bytes follow and ",
             kMaxHeaderBytes, " are allowed"),
         "the file is no safetensors file, or is cut short or damaged");
  }
  auto json = as_text(reader.take(length, "the header"));
  auto data = reader.take(reader.remaining(), "the data");
  SafetensorsHeader header = parse_safetensors_header(json, data.size(), file);
  for (auto& entry : header.tensors) {
    auto stored = data.subspan(entry.begin, entry.end - entry.begin);
    TensorInfo info{entry.dtype, entry.shape, stored.size(), file};
    add({std::move(entry.name), std::move(info), entry.format, stored});
  }
  metadata_.merge(header.metadata);
}

void SafetensorsSource::add_file(const fs::path& path) {
  refuse_pickle(path);
  mapped_.push_back(std::make_unique<MappedFile>(path));
  const MappedFile& file = *mapped_.back();
  add_bytes({file.data(), file.size()}, path.string());
  files_.push_back(path);
}

void SafetensorsSource::add_index(const fs::path& index) {
  auto shard_of = read_weight_map(index);
  std::set<std::string> shards;
  for (const auto& [name, shard] : shard_of) shards.insert(shard);
  for (const auto& shard : shards) {
    fs::path path = index.parent_path() / shard;
    if (!fs::is_regular_file(path)) {
      fail(ErrorKind::not_found, cat(index.string(), " names ", shard, ", which is not there"),
           "copy or download the missing part of the model");
    }
    std::size_t before = names().size();
    add_file(path);
    for (std::size_t i = before; i < names().size(); ++i) {
      auto named = shard_of.find(names()[i]);
      if (named == shard_of.end() || named->second != shard) {
        fail(ErrorKind::bad_input, cat(path.string(), " holds tensor '", names()[i], "', which ",
                                       index.filename().string(), " does not name there"));
      }
    }
  }
  for (const auto& [name, shard] : shard_of) {
    if (!contains(name)) {
      fail(ErrorKind::bad_input, cat(index.string(), ": tensor '", name, "' should be in ", shard, ", but is not"));
    }
  }
}

}  // namespace reveille::io
