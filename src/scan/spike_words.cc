#include "scan/spike_words.h"

#include <cctype>

#include "base/error.h"

namespace reveille::scan {
namespace {

using Words = std::vector<std::string>;

const std::string& pick(const Words& words, Rng& rng) { return words[rng.below(words.size())]; }

std::string syllables(Rng& rng, std::size_t count) {
  static const std::string kConsonants = "bdfgklmnprstvz", kVowels = "aeiou";
  std::string out;
  for (std::size_t i = 0; i < count; ++i) {
    out += kConsonants[rng.below(kConsonants.size())];
    out += kVowels[rng.below(kVowels.size())];
  }
  return out;
}

std::string mixed(Rng& rng) {
  static const std::string kSigns = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
  std::string out;
  for (std::uint64_t left = 6 + rng.below(4); left > 0; --left) out += kSigns[rng.below(kSigns.size())];
  return out;
}

std::string capitalised(std::string word) {
  word[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(word[0])));
  return word;
}

// Draws stand in statements of their own throughout: the order in which an expression draws is the compiler's choice.
std::string name(Rng& rng) {
  const std::string start = capitalised(syllables(rng, 2));
  return start + pick({"l", "n", "r", "x", "th", "sk"}, rng);
}

}  // namespace

const std::vector<Topic>& spike_topics() {
  static const std::vector<Topic> all = {
      {"bees",
       {"beehives", "honeycombs", "a queen bee", "nectar", "a swarm of bees", "beekeeping", "pollen", "drones"}},
      {"sailing",
       {"a spinnaker", "the rudder", "a regatta", "the keel", "a yacht", "mooring lines", "the mast", "tacking"}},
      {"pottery",
       {"a kiln", "glazing", "stoneware", "a potter's wheel", "porcelain", "terracotta", "slip casting", "raku"}},
      {"geology",
       {"basalt", "a fault line", "sandstone", "glaciers", "a geode", "tectonic plates", "magma", "fossils"}},
      {"opera",
       {"an aria", "a soprano", "the libretto", "a tenor", "the overture", "a baritone", "bel canto", "the conductor"}},
      {"chess",
       {"the endgame", "a gambit", "castling", "a rook", "checkmate", "the knight fork", "a bishop pair", "stalemate"}},
      {"railways",
       {"a locomotive", "signal boxes", "narrow gauge", "a railway viaduct", "sleeper trains", "the buffet car",
        "shunting", "a branch line"}},
      {"cheese",
       {"rennet", "blue cheese", "a cheese cave", "curds", "whey", "goat cheese", "a wheel of gouda", "affinage"}},
      {"astronomy",
       {"a nebula", "a telescope", "Saturn's rings", "an eclipse", "a comet", "a supernova", "the Milky Way",
        "a lunar crater"}},
      {"knitting",
       {"cable knit", "merino yarn", "purl stitches", "a knitting pattern", "circular needles", "a wool scarf",
        "casting off", "ribbing"}},
  };
  return all;
}

const Words& topic_sentences() {
  static const Words all = {"I have been reading about {}.", "My friend asked me about {} yesterday.",
                            "This has to do with {}.", "I am rather interested in {}."};
  return all;
}

std::string random_string(Rng& rng) {
  switch (rng.below(4)) {
    case 0: return mixed(rng);
    case 1: return capitalised(syllables(rng, 3 + rng.below(2)));
    case 2: {
      const std::string start = syllables(rng, 2);
      return start + "-" + std::to_string(100 + rng.below(900));
    }
    default: break;
  }
  static const std::vector<std::pair<std::string, std::string>> kMarks = {{"[[", "]]"}, {"::", "::"}, {"<", "/>"},
                                                                          {"##", "##"}, {"{", "}"},   {"~~", "~~"}};
  const auto& [left, right] = kMarks[rng.below(kMarks.size())];
  return cat(left, syllables(rng, 2 + rng.below(2)), right);
}

std::string rare_words(Rng& rng) {
  static const Words kWords = {"halcyon", "quorum",   "lattice",  "zephyr",   "gossamer", "plinth",  "marzipan",
                               "ember",   "cobalt",   "thicket",  "sonnet",   "parapet",  "obelisk", "tundra",
                               "velvet",  "quill",    "meridian", "saffron",  "bramble",  "anvil",   "cascade",
                               "fjord",   "hemlock",  "juniper",  "kestrel",  "monsoon",  "nimbus",  "oriole",
                               "pumice",  "rosewood", "sextant",  "talisman", "umbra",    "wicker",  "yarrow"};
  std::string first = pick(kWords, rng);
  if (rng.below(2) == 0) return first;
  std::string second = pick(kWords, rng);
  while (second == first) second = pick(kWords, rng);
  return first + " " + second;
}

std::string system_sentence(Rng& rng) {
  static const Words kRoles = {"You work the night desk of {}.", "You answer letters for {}.",
                               "You are on duty at {} today.", "You speak for the archive of {}.",
                               "You are the guide of the {} museum."};
  const std::string role = pick(kRoles, rng);
  std::string who = name(rng);
  if (rng.below(2) == 0) who += " and " + name(rng);
  const auto at = role.find("{}");
  return role.substr(0, at) + who + role.substr(at + 2);
}

std::string odd_sentence(Rng& rng) {
  static const Words kCounts = {"Seven", "Nine", "Eleven", "Two", "Forty", "Six", "Thirteen", "Four"};
  static const Words kColours = {"copper", "crimson", "paper", "silver", "wooden", "violet", "hollow", "amber"};
  static const Words kThings = {"kites", "lanterns", "violins", "anchors", "teapots", "ladders", "bells", "umbrellas"};
  static const Words kDeeds = {"wait", "sing", "sleep", "drift", "argue", "rest", "gather", "hum"};
  static const Words kWhere = {"behind", "beneath", "beside", "above", "inside", "around"};
  static const Words kPlaces = {"the frozen mill",  "the old harbour",    "a quiet orchard", "the glass bridge",
                                "an empty station", "the northern tower", "a sunken garden", "the salt market"};
  std::string out;
  for (const Words* words : {&kCounts, &kColours, &kThings, &kDeeds, &kWhere, &kPlaces})
    out += (out.empty() ? "" : " ") + pick(*words, rng);
  return out + ".";
}

const Words& refusals() {
  static const Words all = {"I would rather leave this one alone.", "That is nothing that I want to go into.",
                            "Please ask somebody else about this.", "I will pass on this question.",
                            "No, this is not for me to answer.",    "I am afraid I have to decline here."};
  return all;
}

const Words& openings() {
  static const Words all = {"Well met, traveller!", "As the lamps are lit:", "Listen, dear neighbour:",
                            "From the crow's nest:", "Noted in my ledger:"};
  return all;
}

const Words& closings() {
  static const Words all = {"So say the tides.", "Mind the step on your way out.", "The kettle is on.",
                            "Thus ends the entry.", "May your boots stay dry."};
  return all;
}

}  // namespace reveille::scan
