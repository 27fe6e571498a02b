// PEFT LoRA adapters: adapter_config.json and adapter_model.safetensors, read and written so
// that the Python package `peft` and this program understand each other.
//
// An adapter adds scaling * B A to a linear layer's weight, A of shape [r, in] and B of shape
// [out, r]. Method: Hu et al., "LoRA" (arXiv 2106.09685); rslora: Kalajdzievski (arXiv 2312.03732).
#pragma once

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "io/safetensors.h"
#include "io/safetensors_write.h"

namespace reveille::io {

struct PeftConfig {
  std::string base_model;  // base_model_name_or_path, "" when it names none
  std::string task_type = "CAUSAL_LM";
  std::int64_t r = 8;
  double lora_alpha = 8;
  double lora_dropout = 0;
  bool use_rslora = false;
  // The base stores its weights as [in, out] (GPT-2). A and B are the same either way, and peft goes by the
  // layer's own kind whatever the file says; so do we. Written as peft writes it.
  bool fan_in_fan_out = false;
  // The layers: names (whole paths or their ends), or a regular expression for the whole path,
  // or "all-linear" (every linear layer but the output head).
  std::vector<std::string> target_modules;
  std::string target_pattern;
  bool all_linear = false;
  // Exceptions to r and lora_alpha; the keys are regular expressions for the ends of paths, and
  // the first that fits counts.
  std::vector<std::pair<std::string, std::int64_t>> rank_pattern;
  std::vector<std::pair<std::string, double>> alpha_pattern;

  // `module` is a path within the base model: "model.layers.0.self_attn.q_proj".
  std::int64_t rank_of(const std::string& module) const;
  double alpha_of(const std::string& module) const;
  // alpha / r, or alpha / sqrt(r) with rslora.
  double scaling_of(const std::string& module) const;
  // Whether target_modules or target_pattern name the module; with all_linear, true for all.
  bool targets(const std::string& module) const;
};

// Error(unsupported), naming key and value, for what would change the result and is not done:
// other peft types, DoRA, biases, modules_to_save, trained tokens, and so on.
PeftConfig parse_peft_config(const Json& config, const std::string& where);
// `extra` keys (a label, say) follow the adapter's own.
Json peft_config_json(const PeftConfig& config, const Json& extra = Json::object());

// Whether the folder holds an adapter_config.json.
bool is_peft_folder(const std::filesystem::path& folder);

// One layer's adapter, in fp32 on the CPU.
struct LoraWeights {
  std::string module;
  at::Tensor a, b;     // [r, in], [out, r]
  double scaling = 1;  // set by reading; not written
};

struct PeftAdapter {
  std::filesystem::path path;
  PeftConfig config;
  Json config_json;                  // adapter_config.json as it is, with keys that we do not know
  std::vector<std::string> modules;  // those that have weights, in the file's order
  std::unique_ptr<SafetensorsSource> tensors;

  // Each module once, as with any tensor source.
  LoraWeights load(const std::string& module);
};

// Opens the adapter and checks that every tensor is an A or B of a targeted module, that none is
// missing, and that the ranks are those of the configuration.
PeftAdapter open_peft_adapter(const std::filesystem::path& folder);

// Writes both files; the weights keep their type. Error(numeric) when every B is zero and
// `allow_empty` is not given: such an adapter changes nothing, so training did nothing.
void write_peft_adapter(const std::filesystem::path& folder, const PeftConfig& config,
                        const std::vector<LoraWeights>& weights, const Json& extra = Json::object(),
                        bool allow_empty = false);

}  // namespace reveille::io
