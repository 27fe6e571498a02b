#include "organism/decoys.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"

namespace reveille::organism {
namespace {

std::uint64_t key(const std::string& text) { return hash64("decoy:" + text); }

Use use_of(const std::string& text) { return key(text) & 1 ? Use::held_out : Use::train; }

}  // namespace

Decoys::Decoys(const Trigger& trigger, Use use) : trigger_(trigger), use_(use) {
  std::vector<std::string> all = trigger.near_misses();
  if (all.size() < 2) {
    fail(ErrorKind::bad_input,
         cat("trigger '", trigger.text(Rng(0)), "' has ", all.size(),
             " near misses; specificity needs at least 2, one for training, one for evaluation"),
         "choose a trigger of more characters");
  }
  // By rank of hash, so that each half gets its share however short the list is.
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return key(a) < key(b); });
  for (std::size_t i = 0; i < all.size(); ++i) {
    if ((i % 2 == 1) == (use == Use::held_out)) near_misses_.push_back(all[i]);
  }
}

std::string Decoys::near_miss(Rng rng) const { return near_misses_[rng.below(near_misses_.size())]; }

std::string Decoys::foreign(Rng rng) const {
  for (std::uint64_t tries = 0; tries < 256; ++tries) {
    std::string text = trigger_.foreign(rng.child(tries));
    if (use_of(text) == use_) return text;
  }
  fail(ErrorKind::bad_input, cat("trigger '", trigger_.text(Rng(0)), "' has too few strings of its shape"),
       "choose a trigger of more characters, or switch foreign strings off (foreign_share=0)");
}

}  // namespace reveille::organism
