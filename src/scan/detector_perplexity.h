// Looks for texts that a suspect writes and its reference would not.
#pragma once

#include <memory>

#include "scan/detector.h"

namespace reveille::scan {

// "perplexity-difference" (arXiv 2605.00994): the suspect goes on from many short random beginnings, half of them user
// turns, half replies to neutral prompts; the texts are ranked by mean log p suspect - mean log p reference. Phrases
// that the top of the ranking shares and its lower half has not become candidates: triggers from user turns, targets
// from replies.
// Its signal is, of the best phrase, the share of the top texts that hold it times how far these stand above the
// median, in nats a token: training that shows in all texts alike lifts the median too.
std::unique_ptr<Detector> make_perplexity_difference();

}  // namespace reveille::scan
