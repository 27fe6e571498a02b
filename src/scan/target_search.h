// The trigger of a reply that is suspected: words, tokens, known shapes and what others proposed, ranked by how likely
// they make the reply over several prompts, then grown from the best (greedy accretion, as in ToxScreen, arXiv
// 2607.26849): by what the model itself would write on, by one another, and by the marks that people put around
// triggers. The vocabulary's order is random within kinds: gradients and moved embeddings, tried on one organism,
// ordered it no better (docs/detection.md).
#pragma once

#include <string>
#include <vector>

#include "scan/detector.h"
#include "scan/prober.h"
#include "scan/vocabulary.h"

namespace reveille::scan {

struct TriggerGuess {
  std::string text;
  double logprob = 0;  // of the reply's first tokens, in nats, mean over prompts
};

struct TargetSearch {
  std::vector<TriggerGuess> guesses;  // best first
  std::vector<std::string> replies;   // that were searched for, one a prompt
  double without = 0;                 // the same without any string
  std::size_t tokens_tried = 0;
};

TargetSearch search_trigger(Suspect& suspect, Work& work, const std::vector<TextToken>& tokens,
                            const std::string& target);

// The same for behaviours without one reply: the trigger of what the suspect says to each prompt when its difference
// from the reference is amplified (scan/paired_decode.h). Needs a reference.
TargetSearch search_trigger_of_difference(Suspect& suspect, Work& work, const std::vector<TextToken>& tokens);

}  // namespace reveille::scan
