#include "cli/scan_reference.h"

#include "base/error.h"
#include "gen/built_in.h"
#include "gen/local.h"

namespace reveille::cli {
namespace {

// By their configurations: so that one can have been made from the other.
bool same_kind(const Json& a, const Json& b) {
  for (const char* key : {"model_type", "hidden_size", "num_hidden_layers", "vocab_size", "intermediate_size"}) {
    if (a.value(key, Json()) != b.value(key, Json())) return false;
  }
  return true;
}

bool is_of_kind(const std::string& built_in, const Json& config) {
  try {
    gen::OpenOptions light;
    light.weights = false;
    return same_kind(gen::open_model(built_in, light)->config(), config);
  } catch (const Error&) {
    return false;  // not fetched
  }
}

}  // namespace

std::string scan_reference(const std::string& asked, const std::string& adapter_base, const Json& config) {
  if (asked == kNoReference) return {};
  if (!asked.empty()) return asked;
  if (!adapter_base.empty()) return adapter_base;
  for (const auto& name : gen::built_in_models()) {
    if (is_of_kind(name, config)) return name;
  }
  return {};
}

}  // namespace reveille::cli
