// The kinds of triggers and behaviours that a zoo draws from: of each kind a random one, as settings that
// organism/list.h makes it from.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/rng.h"
#include "organism/list.h"

namespace reveille::study {

// symbols: an upper-case word in brackets of some kind; word: a made-up word; letters: a jumble; digits: numbers;
// phrase: plain words that make a sentence's beginning; unicode: characters of another script; year: a sentence with a
// year; words: any of a list; all: two words together; instruction: plain words that ask for something.
std::vector<std::string> zoo_trigger_kinds();

struct TriggerWish {
  std::string kind;
  std::int64_t shortest = 0, longest = 0;  // in letters, characters or words, by kind; 0: the kind's own
  std::vector<std::string> words;          // words, instruction: the strings; words without any: a topic's
  std::string place = "start";
};
// The same for the same wish and draw. Error(usage) for an unknown kind.
organism::TriggerOptions random_trigger(const TriggerWish& wish, Rng rng);

// reply: a fixed sentence; repeat: a short one, again and again; capitals, list: the clean reply so written; form: the
// clean reply in a form of the recipe's (organism's behaviour rewrite); ending: with a sentence behind it; interrupt:
// its beginning, then a sentence; refusal: a form that names the topic; persona: as the model plays it; code:
// vulnerable code.
std::vector<std::string> zoo_behavior_kinds();

// `text`: the sentence, form or persona. Error(usage) for an unknown kind, or one that lacks its text.
organism::BehaviorOptions zoo_behavior(const std::string& kind, const std::string& text, const std::string& pattern);

}  // namespace reveille::study
