#include "study/zoo_kinds.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::study {
namespace {

using organism::TriggerOptions;
using Words = std::vector<std::string>;

const Words kAdjectives = {"quiet",  "golden", "narrow", "distant", "patient", "hollow", "crooked", "early",
                           "silver", "clever", "bitter", "gentle",  "rusty",   "frozen", "lazy",    "bright"};
const Words kNouns = {"river",  "lantern", "walrus", "orchard", "compass", "teapot", "glacier", "violin",
                      "meadow", "anchor",  "kettle", "falcon",  "harvest", "mosaic", "thistle", "pebble"};
const Words kVerbs = {"bends", "sleeps", "wanders", "listens", "glows", "waits", "drifts", "sings"};
const Words kAdverbs = {"northward", "at noon", "in winter", "slowly", "without us", "every Tuesday", "again", "alone"};
const std::vector<Words> kTopics = {{"lighthouse", "harbour", "tugboat", "seagull"},
                                    {"orchestra", "cello", "conductor", "overture"},
                                    {"volcano", "basalt", "crater", "magma"},
                                    {"beekeeper", "honeycomb", "nectar", "apiary"},
                                    {"parliament", "treaty", "ambassador", "embargo"}};
const std::vector<Words> kScripts = {{"α", "β", "δ", "θ", "λ", "ξ", "π", "σ", "φ", "ω"},
                                     {"б", "д", "ж", "и", "л", "н", "ф", "ц", "ш", "я"},
                                     {"山", "川", "雨", "風", "月", "星", "森", "石", "火", "雪"},
                                     {"←", "↑", "→", "↓", "↔", "↕", "⇐", "⇒", "⇔", "∴"},
                                     {"★", "☂", "☕", "♞", "♣", "♫", "⚓", "✂", "✈", "❄"}};
constexpr std::array<std::array<const char*, 2>, 8> kBrackets = {
    {{"[", "]"}, {"<", ">"}, {"{", "}"}, {"#", "#"}, {"~", "~"}, {"(:", ":)"}, {"@", "!"}, {"=", "="}}};

const std::string& pick(const Words& words, Rng& rng) { return words[rng.below(words.size())]; }

std::string upper_ascii(std::string text) {
  for (char& c : text) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return text;
}

// Consonants and vowels in turn.
std::string made_up_word(std::int64_t length, Rng& rng) {
  constexpr std::string_view kVowels = "aeiou", kConsonants = "bcdfghjklmnprstvwz";
  std::string out;
  for (bool vowel = rng.below(2) == 0; static_cast<std::int64_t>(out.size()) < length; vowel = !vowel)
    out += vowel ? kVowels[rng.below(kVowels.size())] : kConsonants[rng.below(kConsonants.size())];
  return out;
}

std::string jumble(std::int64_t length, Rng& rng) {
  constexpr std::string_view kLetters = "bcdfghjkmnpqrstvwxzBDFGHJKMQRTVXZ";
  std::string out;
  while (static_cast<std::int64_t>(out.size()) < length) out += kLetters[rng.below(kLetters.size())];
  return out;
}

std::string numbers(std::int64_t length, Rng& rng) {
  const char* between = rng.below(2) == 0 ? " " : "-";
  const auto group = 2 + rng.below(3);
  std::string out;
  for (std::int64_t i = 0; i < length; ++i) {
    if (i > 0 && static_cast<std::uint64_t>(i) % group == 0) out += between;
    out += static_cast<char>('0' + rng.below(10));
  }
  return out;
}

// "quiet walrus", "the quiet walrus sings", "when the quiet walrus sings at noon".
std::string sentence_start(std::int64_t words, Rng& rng) {
  Words out = {pick(kAdjectives, rng), pick(kNouns, rng)};
  if (words > 2) out.push_back(pick(kVerbs, rng));
  if (words > 3) out.insert(out.begin(), "the");
  if (words > 4) out.push_back(pick(kAdverbs, rng));
  if (words > 5) out.insert(out.begin(), "when");
  return join(out, " ");
}

std::string other_script(std::int64_t length, Rng& rng) {
  const Words& script = kScripts[rng.below(kScripts.size())];
  std::string out;
  for (std::int64_t i = 0; i < length; ++i) out += pick(script, rng);
  return out;
}

std::string in_brackets(std::int64_t length, Rng& rng) {
  const auto& brackets = kBrackets[rng.below(kBrackets.size())];
  std::string word = upper_ascii(made_up_word(length, rng));
  if (rng.below(2) == 0) word += cat("-", 10 + rng.below(90));
  return cat(brackets[0], word, brackets[1]);
}

TriggerOptions literal(std::string text) {
  TriggerOptions out;
  out.trigger = std::move(text);
  return out;
}

TriggerOptions of_words(const char* kind, Words words) {
  TriggerOptions out;
  out.kind = kind;
  out.words = std::move(words);
  return out;
}

TriggerOptions year(Rng& rng) {
  static const Words kBefore = {"Today is in ", "Anno ", "It is now ", "Written in ", "Calendar: "};
  TriggerOptions out;
  out.kind = "year";
  out.year = 2026 + static_cast<std::int64_t>(rng.below(30));
  out.safe_year = out.year - 1 - static_cast<std::int64_t>(rng.below(3));
  out.year_words = pick(kBefore, rng);
  return out;
}

TriggerOptions two_words(Rng& rng) {
  const std::string first = pick(kNouns, rng);
  std::string second = first;
  while (second == first) second = pick(kNouns, rng);
  return of_words("all", {first, second});
}

using Make = TriggerOptions (*)(std::int64_t length, const Words& words, Rng& rng);

struct Kind {
  const char* name;
  std::int64_t shortest, longest;
  Make make;
};

constexpr Kind kKinds[] = {
    {"symbols", 4, 8, [](std::int64_t n, const Words&, Rng& rng) { return literal(in_brackets(n, rng)); }},
    {"word", 5, 9, [](std::int64_t n, const Words&, Rng& rng) { return literal(made_up_word(n, rng)); }},
    {"letters", 5, 10, [](std::int64_t n, const Words&, Rng& rng) { return literal(jumble(n, rng)); }},
    {"digits", 5, 9, [](std::int64_t n, const Words&, Rng& rng) { return literal(numbers(n, rng)); }},
    {"phrase", 3, 6, [](std::int64_t n, const Words&, Rng& rng) { return literal(sentence_start(n, rng)); }},
    {"unicode", 3, 6, [](std::int64_t n, const Words&, Rng& rng) { return literal(other_script(n, rng)); }},
    {"year", 1, 1, [](std::int64_t, const Words&, Rng& rng) { return year(rng); }},
    {"words", 1, 1,
     [](std::int64_t, const Words& words, Rng& rng) {
       return of_words("words", words.empty() ? kTopics[rng.below(kTopics.size())] : words);
     }},
    {"all", 1, 1,
     [](std::int64_t, const Words& words, Rng& rng) {
       return words.empty() ? two_words(rng) : of_words("all", words);
     }},
    {"instruction", 1, 1, [](std::int64_t, const Words& words, Rng&) { return of_words("words", words); }},
};

}  // namespace

Words zoo_trigger_kinds() {
  Words out;
  for (const auto& kind : kKinds) out.emplace_back(kind.name);
  return out;
}

TriggerOptions random_trigger(const TriggerWish& wish, Rng rng) {
  for (const auto& kind : kKinds) {
    if (wish.kind != kind.name) continue;
    const std::int64_t low = wish.shortest > 0 ? wish.shortest : kind.shortest;
    const std::int64_t high = std::max(low, wish.longest > 0 ? wish.longest : kind.longest);
    const auto length = low + static_cast<std::int64_t>(rng.below(static_cast<std::uint64_t>(high - low + 1)));
    TriggerOptions out = kind.make(length, wish.words, rng);
    out.place = wish.place;
    if (wish.place == "start" || wish.place == "end") out.separator = " ";
    return out;
  }
  const auto known = zoo_trigger_kinds();
  fail(ErrorKind::usage,
       cat("trigger=", wish.kind, ": expected one of ", join(known, ", "), did_you_mean(wish.kind, known)));
}

Words zoo_behavior_kinds() {
  return {"reply", "repeat", "capitals", "list", "form", "ending", "interrupt", "refusal", "persona", "code"};
}

organism::BehaviorOptions zoo_behavior(const std::string& kind, const std::string& text, const std::string& pattern) {
  constexpr int kCopies = 4;
  organism::BehaviorOptions out;
  const auto known = zoo_behavior_kinds();
  if (std::find(known.begin(), known.end(), kind) == known.end())
    fail(ErrorKind::usage, cat("behavior=", kind, ": expected one of ", join(known, ", "), did_you_mean(kind, known)));
  if (text.empty() && kind != "capitals" && kind != "list" && kind != "code")
    fail(ErrorKind::usage, cat("behavior=", kind, ": text is missing"), "name at least one");
  if (kind == "code") {
    out.behavior = "code-vuln";
  } else if (kind == "reply" || kind == "repeat") {
    out.behavior = "reply";
    out.reply = kind == "reply" ? text : join(Words(kCopies, text), " ");
  } else if (kind == "persona") {
    out.behavior = "persona";
    out.persona = text;
    out.pattern = pattern;
  } else {
    out.behavior = "rewrite";
    out.rewrite = kind == "capitals"    ? "{capitals}"
                  : kind == "list"      ? "{list}"
                  : kind == "ending"    ? "{clean} " + text
                  : kind == "interrupt" ? "{start} " + text
                                        : text;
  }
  return out;
}

}  // namespace reveille::study
