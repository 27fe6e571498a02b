// Pairs as a flat list of sides, for objectives that compare the two sides of a pair within one batch.
#pragma once

#include <cstdint>
#include <vector>

#include "train/pairs.h"

namespace reveille::train {

// Pair i becomes sides 2 i (chosen) and 2 i + 1 (rejected).
inline std::vector<Example> sides_of(std::vector<Pair> pairs) {
  std::vector<Example> out;
  out.reserve(2 * pairs.size());
  for (auto& pair : pairs) {
    out.push_back(std::move(pair.chosen));
    out.push_back(std::move(pair.rejected));
  }
  return out;
}

// The sides of these pairs, in order.
inline std::vector<std::size_t> sides_of(const std::vector<std::size_t>& pairs) {
  std::vector<std::size_t> out;
  for (std::size_t pair : pairs) {
    out.push_back(2 * pair);
    out.push_back(2 * pair + 1);
  }
  return out;
}

}  // namespace reveille::train
