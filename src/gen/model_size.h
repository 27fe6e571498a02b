// How large a model is, from the headers of its files alone.
#pragma once

#include <cstdint>
#include <string>

namespace reveille::gen {

// Parameters of what open_model would open (of an adapter: its base's). Errors as open_model's, for what the headers
// show.
std::int64_t parameter_count(const std::string& what, const std::string& base = {});

}  // namespace reveille::gen
