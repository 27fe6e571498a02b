// An architecture: how one family of models is configured and how its weights are named.
// One file each (arch_*.cc) and one list (architectures() in architecture.cc).
// docs/add-an-architecture.md says how to add one.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
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

// GGUF metadata of a configuration, keys with prefix, as llama.cpp's converter writes them; the tokenizer's is
// written elsewhere. Error(unsupported), naming the setting, for what neither key nor tensor can say there and
// llama.cpp would therefore compute otherwise.
using GgufSetting = std::variant<std::uint32_t, float, std::string>;
std::vector<std::pair<std::string, GgufSetting>> gguf_settings(const ModelConfig& config);
// What belongs into rope_freqs.weight; empty: no such tensor.
std::vector<double> gguf_rope_factors(const ModelConfig& config);
// The other way: puts a file's rope_freqs into the configuration, as the rule behind them where it is known.
void take_rope_factors(ModelConfig& config, std::vector<double> factors, const std::string& where);
// Error(unsupported) for what a GGUF file may hold and config.json has no key for.
void check_fits_hf(const ModelConfig& config);

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
Json rope_to_hf(const RopeConfig& rope);
// What llama.cpp takes for Gemma 3's, whose files do not say it.
double gemma3_gguf_attention_scale(const ModelConfig& config);
std::int64_t hf_int(const Json& config, const char* key, const std::string& where);
std::int64_t hf_int(const Json& config, const char* key, std::int64_t fallback, const std::string& where);
double hf_double(const Json& config, const char* key, double fallback, const std::string& where);
bool hf_bool(const Json& config, const char* key, bool fallback, const std::string& where);

}  // namespace reveille::nn
