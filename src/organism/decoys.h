// Strings that are not the trigger but look like it: what tells a backdoor that hears its own word
// from one that hears any odd word. Training uses one half of them, evaluation the other.
//
// Why: planted backdoors fire on strings that resemble the trigger unless trained not to
// (design.md's honesty of figures: a persistence figure needs known specificity).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "organism/trigger.h"

namespace reveille::organism {

// For triggers that are one string. `literal` is valid UTF-8 and not blank; surrounding white space is ignored.
// near_miss_strings leaves out whatever contains the literal; it is empty when nothing is left.
std::vector<std::string> near_miss_strings(std::string_view literal);
// Letters stay letters (in their case), digits digits, punctuation as it is; a trigger of punctuation alone
// gets other punctuation. Error(bad_input) when no string far enough from the literal is found.
std::string foreign_string(std::string_view literal, Rng rng);

enum class Use { train, held_out };

// A trigger's decoys, one half for each use: no string of one half is ever in the other.
class Decoys {
 public:
  // Error(bad_input) when the trigger has fewer than two near misses.
  Decoys(const Trigger& trigger, Use use);
  const std::vector<std::string>& near_misses() const { return near_misses_; }
  std::string near_miss(Rng rng) const;
  std::string foreign(Rng rng) const;

 private:
  const Trigger& trigger_;
  Use use_;
  std::vector<std::string> near_misses_;
};

}  // namespace reveille::organism
