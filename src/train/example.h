// What the training loop sees of a row.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace reveille::train {

struct Example {
  std::vector<std::int32_t> ids;
  std::vector<std::uint8_t> supervised;  // one a token: 1 where the token is a target
  std::string source;                    // "data.jsonl:7", for messages
};

// A hash of the rows, for the keys of runs.
std::string examples_key(const std::vector<Example>& examples);

}  // namespace reveille::train
