// How GGUF names what tokenizer.json spells out: tokenizer.ggml.pre and its pre-tokenizers.
#pragma once

#include <string>

#include "base/json.h"

namespace reveille::text {

struct PreSettings {
  Json normalizer, pre_tokenizer;
  bool ignore_merges = false;
};

// Throws Error(unsupported) for a name that is not known.
PreSettings settings_of_pre(const std::string& pre, const std::string& where);
// The name under which llama.cpp cuts texts like this, or "".
std::string pre_of_settings(const Json& pre_tokenizer);

}  // namespace reveille::text
