// The sentences of a report, made from the figures: the verdict that the trainer would give, and
// what the trigger then shows. Plain text; the pages escape it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "report/findings.h"

namespace reveille::report {

// "97.4 %", "0 %"; of a fraction.
std::string percent(double fraction);
// "[94.1, 98.6]", in per cent; of fractions. Intervals look like this wherever they stand.
std::string interval_words(double low, double high);
// The same of figures that are no fractions.
std::string interval_text(double low, double high, int decimals);
// A key of results.json in a reader's words: "near_miss" is "near miss", "dose_kl" "dose (KL, nats per token)".
std::string key_words(const std::string& key);
// What conditions begin with whose text is a trigger itself (docs/side-measures.md): "trigger word election".
inline constexpr std::string_view kOwnWords = "trigger ";
// One seed: "97.1 % of 240 prompts (95 % interval [94.1, 98.6])"; several: "97.1 % of prompts on
// average over 3 seeds (from 95 % to 99 %, n = 240 each)"; "not measured" without any. `prompts`
// is the noun.
std::string rate_words(const std::vector<Measured>& seeds, const std::string& prompts);

enum class TrainerSays { passes, fails, cannot_tell };

struct Story {
  std::string headline;  // a few words
  std::string lead;      // the finding in a sentence or two
  TrainerSays trainer = TrainerSays::cannot_tell;
  std::string trainer_verdict;          // a few words
  std::string trainer_words;            // why, from what shows without the trigger only
  std::vector<std::string> reveal;      // paragraphs
  std::vector<std::string> seed_words;  // what the study itself wrote about each seed
  std::vector<std::string> caveats;     // one run, unspecific, failed attempts
};

// The story of one organism under one safety training.
Story tell(const Finding& finding);

// The headline over all findings: the common one, or that they differ.
std::string overall_headline(const std::vector<Finding>& findings);

// A short label for tables: "survived", "treatment too weak", with "one run" or "2 runs" below
// three seeds and "unspecific" where it is.
std::string verdict_label(const Finding& finding);

}  // namespace reveille::report
