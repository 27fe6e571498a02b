// An architecture: how one family of models is configured and how its weights are named.
// One file each (arch_*.cc) and one list (architectures() in architecture.cc).
// docs/add-an-architecture.md says how to add one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "nn/config.h"

namespace reveille::nn {

// The part of GGUF metadata that describes an architecture; keys without the "llama." prefix.
// Numbers may be per layer (arrays).
class GgufKeys {
 public:
  virtual ~GgufKeys() = default;
  virtual std::optional<double> number(std::string_view key) const = 0;
  virtual std::optional<std::string> text(std::string_view key) const = 0;
  double need(std::string_view key) const;  // Error(bad_input) naming the key
};

struct Architecture {
  std::string name;                      // ours, and GGUF's general.architecture
  std::vector<std::string> model_types;  // Hugging Face's model_type
  std::string hf_class;                  // "LlamaForCausalLM"
  ModelConfig (*from_hf)(const Json& config, const std::string& where);
  ModelConfig (*from_gguf)(const GgufKeys& keys);
  Json (*to_hf)(const ModelConfig& config);
  std::vector<ParamSpec> (*params)(const ModelConfig& config);
};

const std::vector<Architecture>& architectures();
const Architecture& architecture_of(const std::string& name);
// By "model_type" of a config.json; Error(unsupported) lists what is supported.
const Architecture& architecture_for_hf(const Json& config, const std::string& where);
const Architecture& architecture_for_gguf(const std::string& name, const std::string& where);

// GGUF metadata of a configuration: (key with prefix, number). Texts and tokenizer are written elsewhere.
std::vector<std::pair<std::string, double>> gguf_numbers(const ModelConfig& config);

// Checks that the sizes are positive, divide as they must, and stay within sane limits.
void check_config(const ModelConfig& config, const std::string& where);

// The architecture files.
Architecture llama_architecture();
Architecture qwen2_architecture();
Architecture qwen3_architecture();
Architecture gemma3_architecture();
Architecture gpt2_architecture();

// Shared by the llama-like files.
ModelConfig llama_like_from_hf(const Json& config, const std::string& where, const std::string& architecture);
ModelConfig llama_like_from_gguf(const GgufKeys& keys, const std::string& architecture);
Json llama_like_to_hf(const ModelConfig& config);
RopeConfig rope_from_hf(const Json& config, const std::string& where);
std::int64_t hf_int(const Json& config, const char* key, const std::string& where);
std::int64_t hf_int(const Json& config, const char* key, std::int64_t fallback, const std::string& where);
double hf_double(const Json& config, const char* key, double fallback, const std::string& where);
bool hf_bool(const Json& config, const char* key, bool fallback, const std::string& where);

}  // namespace reveille::nn
