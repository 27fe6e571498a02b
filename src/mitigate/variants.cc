#include "mitigate/variants.h"

#include <algorithm>

#include "base/strings.h"

namespace reveille::mitigate {
namespace {

// Byte offsets where characters begin, and the end.
std::vector<std::size_t> characters_of(const std::string& text) {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U) out.push_back(i);
  }
  out.push_back(text.size());
  return out;
}

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> out;
  for (const auto& word : split(text, " ")) {
    if (!trim(word).empty()) out.push_back(word);
  }
  return out;
}

void add(std::vector<std::string>& out, std::string text, const std::string& whole) {
  text = trim(text);
  if (!text.empty() && text != whole && std::find(out.begin(), out.end(), text) == out.end())
    out.push_back(std::move(text));
}

std::vector<std::string> pieces_of_word(const std::string& text) {
  const auto at = characters_of(text);
  const std::size_t count = at.size() - 1;
  auto part = [&](std::size_t from, std::size_t to) { return text.substr(at[from], at[to] - at[from]); };
  std::vector<std::string> out;
  if (count < 2) return out;
  add(out, part(0, count / 2), text);
  add(out, part(count / 2, count), text);
  for (std::size_t third = 0; count >= 3 && third < 3; ++third)
    add(out, part(0, count * third / 3) + part(count * (third + 1) / 3, count), text);
  return out;
}

std::string other_case(const std::string& text, bool upper) {
  std::string out = lower_ascii(text);
  if (!upper) return out;
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return out;
}

}  // namespace

std::vector<std::string> pieces_of(const std::string& text) {
  const auto words = words_of(text);
  if (words.size() < 2) return pieces_of_word(text);
  std::vector<std::string> out;
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto rest = words;
    rest.erase(rest.begin() + static_cast<std::ptrdiff_t>(i));
    add(out, join(rest, " "), text);
  }
  for (const auto& word : words) add(out, word, text);
  return out;
}

std::string neighbour_of(const std::string& text, Rng& rng) {
  std::string out = text;
  auto draw = [&](char& c, char first, std::uint64_t count) {
    if (c >= first && static_cast<std::uint64_t>(c - first) < count)
      c = static_cast<char>(first + static_cast<char>(rng.below(count)));
  };
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') {
      draw(c, 'a', 26);
    } else if (c >= 'A' && c <= 'Z') {
      draw(c, 'A', 26);
    } else {
      draw(c, '0', 10);
    }
  }
  return out;
}

std::vector<KnownTrigger> variants_of(const KnownTrigger& trigger, const std::vector<scan::Place>& places,
                                      std::size_t count, Rng rng) {
  std::vector<KnownTrigger> elsewhere, pieces, cases;
  for (const scan::Place place : places) {
    if (place != trigger.place) elsewhere.push_back({trigger.text, place});
  }
  for (auto& piece : pieces_of(trigger.text)) pieces.push_back({std::move(piece), trigger.place});
  rng.shuffle(pieces);
  for (const bool upper : {false, true}) {
    const std::string text = other_case(trigger.text, upper);
    if (text != trigger.text) cases.push_back({text, trigger.place});
  }
  std::vector<KnownTrigger> out;
  auto take = [&](std::vector<KnownTrigger>& from) {
    if (from.empty() || out.size() >= count) return;
    if (std::find(out.begin(), out.end(), from.front()) == out.end()) out.push_back(from.front());
    from.erase(from.begin());
  };
  // Neighbours are as many as are wanted, where the string holds letters or digits at all.
  constexpr std::size_t kMostTurns = 64;
  for (std::size_t turn = 0; turn < kMostTurns && out.size() < count; ++turn) {
    std::vector<KnownTrigger> neighbours;
    const std::string text = neighbour_of(trigger.text, rng);
    if (text != trigger.text) neighbours.push_back({text, trigger.place});
    for (auto* from : {&pieces, &neighbours, &elsewhere, &cases}) take(*from);
  }
  return out;
}

}  // namespace reveille::mitigate
