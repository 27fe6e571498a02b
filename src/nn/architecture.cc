#include "nn/architecture.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::nn {

double GgufKeys::need(std::string_view key) const {
  auto value = number(key);
  if (!value) fail(ErrorKind::bad_input, cat("GGUF metadata lacks '", key, "'"));
  return *value;
}

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> all = {llama_architecture(), qwen2_architecture(), qwen3_architecture(),
                                                gemma3_architecture(), gpt2_architecture()};
  return all;
}

namespace {

[[noreturn]] void reject(const std::string& what, const std::string& where) {
  std::vector<std::string> names;
  for (const auto& architecture : architectures()) {
    for (const auto& type : architecture.model_types) names.push_back(type);
  }
  fail(ErrorKind::unsupported, cat(where, ": architecture '", what, "' is not supported"),
       "supported: " + join(names, ", "));
}

}  // namespace

const Architecture& architecture_of(const std::string& name) { return architecture_for_gguf(name, "model"); }

const Architecture& architecture_for_gguf(const std::string& name, const std::string& where) {
  for (const auto& architecture : architectures()) {
    if (architecture.name == name) return architecture;
  }
  reject(name, where);
}

const Architecture& architecture_for_hf(const Json& config, const std::string& where) {
  std::string type = json_string(config, "model_type", where);
  for (const auto& architecture : architectures()) {
    const auto& types = architecture.model_types;
    if (std::find(types.begin(), types.end(), type) != types.end()) return architecture;
  }
  reject(type, where);
}

void check_config(const ModelConfig& c, const std::string& where) {
  auto bound = [&](const char* name, std::int64_t value, std::int64_t most) {
    if (value < 1 || value > most) {
      fail(ErrorKind::bad_input, cat(where, ": ", name, " is ", value, ", expected 1 to ", most));
    }
  };
  bound("vocab_size", c.vocab_size, 4'000'000);
  bound("hidden_size", c.hidden, 100'000);
  bound("num_hidden_layers", c.layers, 1000);
  bound("num_attention_heads", c.heads, 10'000);
  bound("num_key_value_heads", c.kv_heads, c.heads);
  bound("head_dim", c.head_dim, 4096);
  bound("intermediate_size", c.intermediate, 1'000'000);
  bound("max_position_embeddings", c.max_positions, 100'000'000);
  if (c.heads % c.kv_heads != 0) {
    fail(ErrorKind::bad_input,
         cat(where, ": num_attention_heads ", c.heads, " is not a multiple of num_key_value_heads ", c.kv_heads));
  }
  if (!c.rope.empty() && c.head_dim % 2 != 0)
    fail(ErrorKind::bad_input, cat(where, ": head_dim ", c.head_dim, " is odd"));
  if (!(c.norm_eps > 0) || c.norm_eps > 1) fail(ErrorKind::bad_input, cat(where, ": norm eps ", c.norm_eps));
}

std::int64_t hf_int(const Json& config, const char* key, const std::string& where) {
  const Json& value = json_at(config, key, where);
  if (!value.is_number_integer()) {
    fail(ErrorKind::bad_input, cat(where, ": ", key, " should be a whole number, found ", value.dump()));
  }
  return value.get<std::int64_t>();
}

std::int64_t hf_int(const Json& config, const char* key, std::int64_t fallback, const std::string& where) {
  auto found = config.find(key);
  return found == config.end() || found->is_null() ? fallback : hf_int(config, key, where);
}

double hf_double(const Json& config, const char* key, double fallback, const std::string& where) {
  auto found = config.find(key);
  if (found == config.end() || found->is_null()) return fallback;
  if (!found->is_number())
    fail(ErrorKind::bad_input, cat(where, ": ", key, " should be a number, found ", found->dump()));
  return found->get<double>();
}

bool hf_bool(const Json& config, const char* key, bool fallback, const std::string& where) {
  auto found = config.find(key);
  if (found == config.end() || found->is_null()) return fallback;
  if (!found->is_boolean())
    fail(ErrorKind::bad_input, cat(where, ": ", key, " should be true or false, found ", found->dump()));
  return found->get<bool>();
}

}  // namespace reveille::nn
