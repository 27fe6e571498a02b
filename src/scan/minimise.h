// A trigger made as short as it can be, and what its pieces do.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "scan/bench.h"

namespace reveille::scan {

// What is kept up while a trigger is shortened: the share of a bench's prompts whose reply holds `run`.
struct Firing {
  Bench& bench;
  Ids run;
  double rate(const std::string& trigger, Place place) const;
};

// The shortest string by dropping words, then tokens from either end, that fires at least 9 in 10 times as often; then
// the neighbours (other case, with and without the punctuation around it) that fire more often.
std::string minimised(const Firing& firing, const gen::LocalModel& model, const std::string& trigger, Place place);

// Rates of every beginning of the trigger by tokens, and of neighbours of its shape: each word replaced by another,
// letters and digits exchanged. For the page: {"beginnings": [{"text", "rate"}], "neighbours": [...]}.
Json pieces(const Firing& firing, const gen::LocalModel& model, const std::string& trigger, Place place,
            std::int64_t seed);

}  // namespace reveille::scan
