// How large a model is, from the headers of its files alone.
#pragma once

#include <cstdint>
#include <string>

namespace reveille::gen {

// Parameters of a folder with weights, a .gguf file or a built-in name. Errors as open_model's, for what headers show.
std::int64_t parameter_count(const std::string& what);

}  // namespace reveille::gen
