// Effective prompts that are kept out of adversarial training, in every round, for the measurement after it.
#pragma once

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "safety/attacker.h"

namespace reveille::safety {

class HeldBack {
 public:
  // Of the prompts that became effective in a round, as many as make all that are held back `share` of all effective
  // ones so far, rounded down, drawn by (seed, prompt). What is decided for a prompt in one round holds in all that
  // follow, and for prompts that differ from it in case, punctuation or white space alone.
  HeldBack(const std::vector<Attempt>& attempts, double share, std::int64_t seed);
  bool holds(const std::string& prompt) const;
  std::size_t size() const { return held_.size(); }

 private:
  std::set<std::string> held_;
};

}  // namespace reveille::safety
