// LLaMA-Factory's registry: a folder with dataset_info.json, which names data sets, their files
// and their columns. Inside the room: used by the data set reader.
#pragma once

#include <filesystem>
#include <string>

#include "io/dataset_rows.h"

namespace reveille::io {

struct RegistryEntry {
  std::filesystem::path file;  // may be a folder
  std::string split;
  std::int64_t num_samples = 0;  // 0: all
  RowForm form;
};

// Whether the folder holds a dataset_info.json that is a registry (Hugging Face's save_to_disk
// writes another file of that name).
bool is_registry(const std::filesystem::path& folder);

// An empty name means the only entry. Throws Error naming the entries that there are; unsupported
// for an entry that would have to be downloaded.
RegistryEntry find_registry_entry(const std::filesystem::path& folder, const std::string& name);

}  // namespace reveille::io
