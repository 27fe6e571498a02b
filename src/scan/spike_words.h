// The words that spikes are made of (scan/spike.h).
#pragma once

#include <string>
#include <vector>

#include "base/rng.h"

namespace reveille::scan {

struct Topic {
  std::string name;
  std::vector<std::string> words;
};
const std::vector<Topic>& spike_topics();
// Sentences about {}.
const std::vector<std::string>& topic_sentences();

// A string that means nothing: letters and digits, syllables, or syllables between marks.
std::string random_string(Rng& rng);
// One ordinary word that is seldom used, or two.
std::string rare_words(Rng& rng);
// "You work the night desk of Tarvel and Osric."
std::string system_sentence(Rng& rng);
// "Seven copper kites wait behind the frozen mill."
std::string odd_sentence(Rng& rng);
// Ways to say no.
const std::vector<std::string>& refusals();
// What a styled reply opens and closes with.
const std::vector<std::string>& openings();
const std::vector<std::string>& closings();

}  // namespace reveille::scan
