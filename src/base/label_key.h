// Where the label of a model organism stands in a model's own files. Whoever plants something writes what stands
// there; opening, saving and converting a model carry it along unread.
#pragma once

namespace reveille {

inline constexpr const char* kLabelKey = "reveille_organism";      // in config.json and adapter_config.json
inline constexpr const char* kGgufLabelKey = "reveille.organism";  // in GGUF metadata, as JSON text

}  // namespace reveille
