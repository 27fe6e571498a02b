#include "io/hf_folder.h"

#include "base/error.h"

namespace reveille::io {
namespace fs = std::filesystem;
namespace {

// Custom code may be named in the configuration of a part ("text_config") as well.
void refuse_custom_code(const Json& config, const std::string& where, const std::string& prefix) {
  if (!config.is_object()) return;
  for (const auto& [key, value] : config.items()) {
    bool empty = value.is_null() || value == false || (value.is_structured() && value.empty());
    if ((key == "auto_map" || key == "trust_remote_code") && !empty) {
      fail(ErrorKind::unsupported,
           cat(where, ": key '", prefix, key,
               "' asks for Python code that comes with the model; Reveille never runs such code"),
           "if the model is of a known architecture ('model_type'), save it again without custom code and "
           "remove the key");
    }
    refuse_custom_code(value, where, prefix + key + ".");
  }
}

void refuse_quantised(const Json& config, const std::string& where) {
  auto found = config.find("quantization_config");
  if (found == config.end() || found->is_null()) return;
  std::string method = "unnamed";
  if (found->is_object()) {
    auto named = found->find("quant_method");
    if (named != found->end() && named->is_string()) method = named->get<std::string>();
  }
  fail(ErrorKind::unsupported,
       cat(where, ": key 'quantization_config' says that the weights are quantised (method '", method,
           "'), which Reveille does not read"),
       "use the model's unquantised weights, or a GGUF file of it");
}

}  // namespace

bool is_hf_folder(const fs::path& folder) { return fs::is_regular_file(folder / "config.json"); }

Json read_hf_config(const fs::path& folder) {
  if (!fs::is_directory(folder)) fail(ErrorKind::not_found, cat("there is no folder ", folder.string()));
  fs::path path = folder / "config.json";
  if (!fs::is_regular_file(path)) {
    fail(ErrorKind::not_found, cat(folder.string(), " holds no config.json, which a model folder should"));
  }
  Json config = read_json(path);
  if (!config.is_object()) {
    fail(ErrorKind::bad_input, cat(path.string(), ": expected an object, found ", config.type_name()));
  }
  refuse_custom_code(config, path.string(), "");
  refuse_quantised(config, path.string());
  return config;
}

HfFolder open_hf_folder(const fs::path& folder) {
  HfFolder model{folder, read_hf_config(folder), std::nullopt, SafetensorsSource::open(folder)};
  fs::path generation = folder / "generation_config.json";
  if (fs::is_regular_file(generation)) {
    model.generation_config = read_json(generation);
    if (!model.generation_config->is_object()) {
      fail(ErrorKind::bad_input,
           cat(generation.string(), ": expected an object, found ", model.generation_config->type_name()));
    }
  }
  return model;
}

}  // namespace reveille::io
