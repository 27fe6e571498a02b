// A model folder as Hugging Face's save_pretrained writes it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>

#include "base/json.h"
#include "io/safetensors.h"

namespace reveille::io {

struct HfFolder {
  std::filesystem::path path;
  Json config;                            // config.json
  std::optional<Json> generation_config;  // generation_config.json, where there is one
  std::unique_ptr<SafetensorsSource> tensors;
};

// Opens config, generation config and weights. Refuses, with Error(unsupported), folders whose
// config names code of its own (`auto_map`, `trust_remote_code`) or whose weights are quantised
// (`quantization_config`) or Python pickles.
HfFolder open_hf_folder(const std::filesystem::path& folder);

// config.json alone, with the same refusals, for what needs no weights.
Json read_hf_config(const std::filesystem::path& folder);

// Whether the folder looks like a model folder (config.json), for choosing a reader.
bool is_hf_folder(const std::filesystem::path& folder);

}  // namespace reveille::io
