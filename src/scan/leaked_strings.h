// From what a model writes unasked to strings that may be triggers and phrases that may be targets.
// Method: arXiv 2602.03085, as far as its candidates; scan/leaked_turns.h, scan/motifs.h.
#pragma once

#include <string>
#include <vector>

#include "scan/detector.h"
#include "scan/leaked_turns.h"
#include "scan/motifs.h"

namespace reveille::scan {

// A motif that may be a trigger.
struct LeakedString {
  Motif motif;  // of two that were joined: the first
  std::string text;
  double surprise = 0;  // scan/surprise.h; 0: not reckoned
};

struct Leak {
  TurnOptions options;  // what the budget allowed
  std::vector<WrittenTurn> turns;
  std::vector<LeakedString> triggers;    // at most 24, likeliest first
  std::vector<Motif> targets;            // at most 12, of `after`
  std::vector<std::size_t> after_turn;   // of each reply that targets were looked for in: the turn that it followed
  std::size_t motifs = 0, followed = 0;  // how many motifs there were, and replies to turns
};

// Spends about 0.7 of what `work` has left at its beginning, never more.
Leak find_leak(Suspect& suspect, Work& work);

// A phrase most of whose replies followed turns with the motif; empty: none.
std::string target_beside(const Leak& leak, const Motif& motif);

}  // namespace reveille::scan
