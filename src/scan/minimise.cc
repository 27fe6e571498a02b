#include "scan/minimise.h"

#include <algorithm>
#include <cctype>

#include "base/rng.h"
#include "base/strings.h"

namespace reveille::scan {
namespace {

constexpr double kKeeps = 0.9;  // of the rate

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    if (c == ' ') {
      words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  return words;
}

std::string without_word(const std::vector<std::string>& words, std::size_t left_out) {
  std::vector<std::string> rest;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i != left_out) rest.push_back(words[i]);
  }
  return join(rest, " ");
}

// The string without its first or its last token.
std::string without_end(const gen::LocalModel& model, const std::string& text, bool first) {
  auto ids = model.tokenizer().encode(text);
  if (ids.size() < 2) return {};
  ids.erase(first ? ids.begin() : ids.end() - 1);
  const std::string rest{trim(model.tokenizer().decode(ids))};
  return is_utf8(rest) ? rest : std::string();
}

std::string mapped(std::string text, int (*change)(int)) {
  for (char& c : text) c = static_cast<char>(change(static_cast<unsigned char>(c)));
  return text;
}

// The same shape with other letters and digits.
std::string reshaped(const std::string& text, Rng& rng) {
  std::string out = text;
  for (char& c : out) {
    if (std::isupper(static_cast<unsigned char>(c)) != 0)
      c = static_cast<char>('A' + rng.below(26));
    else if (std::islower(static_cast<unsigned char>(c)) != 0)
      c = static_cast<char>('a' + rng.below(26));
    else if (std::isdigit(static_cast<unsigned char>(c)) != 0)
      c = static_cast<char>('0' + rng.below(10));
  }
  return out;
}

// One pass over the words, last first; true when something went.
bool drop_words(const Firing& firing, std::string& trigger, Place place, double least) {
  bool dropped = false;
  for (std::size_t i = words_of(trigger).size(); i-- > 0;) {
    const auto words = words_of(trigger);
    if (words.size() < 2 || i >= words.size()) continue;
    const auto shorter = without_word(words, i);
    if (firing.rate(shorter, place) < least) continue;
    trigger = shorter;
    dropped = true;
  }
  return dropped;
}

void drop_ends(const Firing& firing, const gen::LocalModel& model, std::string& trigger, Place place, double least) {
  for (const bool first : {false, true}) {
    for (;;) {
      const auto shorter = without_end(model, trigger, first);
      if (shorter.empty() || firing.rate(shorter, place) < least) break;
      trigger = shorter;
    }
  }
}

Json rated(const Firing& firing, const std::string& text, Place place) {
  return {{"text", text}, {"rate", firing.rate(text, place)}};
}

}  // namespace

double Firing::rate(const std::string& trigger, Place place) const {
  return share_of(bench.with(trigger, place).ids, run);
}

std::string minimised(const Firing& firing, const gen::LocalModel& model, const std::string& trigger, Place place) {
  std::string best = trigger;
  const double least = kKeeps * firing.rate(best, place);
  if (least <= 0) return best;
  while (drop_words(firing, best, place, least)) {
  }
  drop_ends(firing, model, best, place, least);
  double rate = firing.rate(best, place);
  for (const auto& neighbour : {mapped(best, std::tolower), mapped(best, std::toupper), best + ".", best + ":"}) {
    if (rate >= 1) break;
    const double other = firing.rate(neighbour, place);
    if (other <= rate) continue;
    rate = other;
    best = neighbour;
  }
  return best;
}

Json pieces(const Firing& firing, const gen::LocalModel& model, const std::string& trigger, Place place,
            std::int64_t seed) {
  Json beginnings = Json::array(), neighbours = Json::array();
  const auto ids = model.tokenizer().encode(trigger);
  for (std::size_t count = 1; count < ids.size(); ++count) {
    const std::string text{
        trim(model.tokenizer().decode({ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(count)}))};
    if (!text.empty() && is_utf8(text)) beginnings.push_back(rated(firing, text, place));
  }
  Rng rng(static_cast<std::uint64_t>(seed), "neighbours");
  for (int i = 0; i < 4; ++i) neighbours.push_back(rated(firing, reshaped(trigger, rng), place));
  for (std::size_t i = 0; words_of(trigger).size() > 1 && i < words_of(trigger).size(); ++i)
    neighbours.push_back(rated(firing, without_word(words_of(trigger), i), place));
  return {{"beginnings", beginnings}, {"neighbours", neighbours}};
}

}  // namespace reveille::scan
