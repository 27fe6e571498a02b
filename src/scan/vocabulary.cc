#include "scan/vocabulary.h"

#include <algorithm>
#include <cctype>
#include <unordered_set>

#include "base/strings.h"

namespace reveille::scan {
namespace {

bool typable(const std::string& text) {
  return !text.empty() && is_utf8(text) &&
         std::none_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

}  // namespace

std::vector<TextToken> text_tokens(const gen::LocalModel& model) {
  const auto& tokenizer = model.tokenizer();
  const auto count = static_cast<std::int32_t>(
      std::min<std::int64_t>(tokenizer.vocab_size(), model.transformer().config().vocab_size));
  std::vector<TextToken> out;
  std::unordered_set<std::string> seen;
  for (std::int32_t id = 0; id < count; ++id) {
    if (tokenizer.is_special(id)) continue;
    const std::string text{trim(tokenizer.decode({id}))};
    if (typable(text) && seen.insert(text).second) out.push_back({id, text});
  }
  return out;
}

std::vector<std::string> search_strings(const std::vector<TextToken>& tokens, Rng rng) {
  std::vector<std::string> words, capitals, others;
  std::unordered_set<std::string> known;
  for (const auto& token : tokens) known.insert(token.text);
  for (const auto& token : tokens) {
    const auto& text = token.text;
    const bool lower =
        text.size() >= 4 && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'a' && c <= 'z'; });
    (lower ? words : others).push_back(text);
    if (!lower) continue;
    std::string upper = text;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (known.count(upper) == 0) capitals.push_back(upper);
  }
  for (auto* kind : {&words, &capitals, &others}) rng.shuffle(*kind);
  // In turn: which kind a trigger is of is not known.
  std::vector<std::string> out;
  for (std::size_t i = 0; i < std::max({words.size(), capitals.size(), others.size()}); ++i) {
    for (const auto* kind : {&words, &capitals, &others}) {
      if (i < kind->size()) out.push_back((*kind)[i]);
    }
  }
  return out;
}

std::vector<std::string> strings_like(const gen::LocalModel& model, const std::vector<TextToken>& tokens,
                                      const std::string& like, std::size_t count, Rng rng) {
  constexpr std::ptrdiff_t kNeighbourhood = 1000;  // tokens on either side in the order of frequency
  const auto ids = model.tokenizer().encode(like);
  std::vector<std::string> out;
  while (out.size() < count) {
    std::string text;
    for (const auto id : ids) {
      const auto at = std::lower_bound(tokens.begin(), tokens.end(), id,
                                       [](const auto& token, auto want) { return token.id < want; }) -
                      tokens.begin();
      const auto size = static_cast<std::ptrdiff_t>(tokens.size());
      const auto first = std::clamp<std::ptrdiff_t>(at - kNeighbourhood, 0, std::max<std::ptrdiff_t>(0, size - 1));
      const auto last = std::min(size, first + 2 * kNeighbourhood + 1);
      const auto& token = tokens[static_cast<std::size_t>(first) + rng.below(static_cast<std::uint64_t>(last - first))];
      // Spaces where the string itself has them.
      const std::string own = model.tokenizer().decode({id});
      text += (!text.empty() && !own.empty() && own.front() == ' ' ? " " : "") + token.text;
    }
    if (text != like && !text.empty()) out.push_back(std::move(text));
  }
  return out;
}

}  // namespace reveille::scan
