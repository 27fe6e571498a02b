#include "scan/phrases.h"

#include <algorithm>
#include <cctype>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string_view>

#include "base/strings.h"

namespace reveille::scan {
namespace {

struct Word {
  std::size_t begin, end;  // bytes of the text
  std::string key;
};

std::size_t character_bytes(unsigned char lead) { return lead < 0xC0 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4; }

bool is_space(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// From U+2E80 on: the scripts of East Asia, which put no spaces between words.
bool stands_alone(std::string_view character) {
  return character.size() >= 3 && static_cast<unsigned char>(character[0]) >= 0xE2 &&
         (static_cast<unsigned char>(character[0]) > 0xE2 || static_cast<unsigned char>(character[1]) >= 0xBA);
}

std::string key_of(std::string_view word) {
  const auto is_mark = [](char c) { return std::ispunct(static_cast<unsigned char>(c)) != 0; };
  std::string_view bare = word;
  while (!bare.empty() && is_mark(bare.front())) bare.remove_prefix(1);
  while (!bare.empty() && is_mark(bare.back())) bare.remove_suffix(1);
  return lower_ascii(bare.empty() ? word : bare);
}

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  bool open = false;  // the last word goes on
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t bytes = std::min(character_bytes(static_cast<unsigned char>(text[at])), text.size() - at);
    const bool alone = stands_alone(text.substr(at, bytes));
    if (is_space(text[at])) {
      open = false;
    } else if (open && !alone) {
      words.back().end = at + bytes;
    } else {
      words.push_back({at, at + bytes, {}});
      open = !alone;
    }
    at += bytes;
  }
  for (Word& word : words) word.key = key_of(text.substr(word.begin, word.end - word.begin));
  return words;
}

// Calls body(key, words, first, last) for every sequence of up to `most` words that is no loop.
using OnSequence = std::function<void(const std::string& key, std::int64_t words, std::size_t first, std::size_t last)>;
void each_sequence(const std::vector<Word>& words, std::int64_t most, const OnSequence& body) {
  for (std::size_t first = 0; first < words.size(); ++first) {
    std::string key = " ";  // spaces at both ends, so that one key holds another only by whole words
    std::set<std::string_view> different;
    for (std::size_t last = first; last < words.size() && static_cast<std::int64_t>(last - first) < most; ++last) {
      key += words[last].key + ' ';
      different.insert(words[last].key);
      const std::size_t count = last - first + 1;
      if (count > 1 && different.size() * 2 <= count) continue;
      body(key, static_cast<std::int64_t>(count), first, last);
    }
  }
}

struct Count {
  Phrase phrase;
  std::size_t ordinary = 0, last_ordinary = SIZE_MAX;
};

std::map<std::string, Count> counted(const std::vector<std::string>& texts, const std::vector<std::string>& ordinary,
                                     std::int64_t most) {
  std::map<std::string, Count> counts;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto words = words_of(texts[i]);
    each_sequence(words, most, [&](const std::string& key, std::int64_t length, std::size_t first, std::size_t last) {
      Phrase& phrase = counts[key].phrase;
      if (phrase.texts.empty()) {
        phrase.text = texts[i].substr(words[first].begin, words[last].end - words[first].begin);
        phrase.words = length;
      }
      if (phrase.texts.empty() || phrase.texts.back() != i) phrase.texts.push_back(i);
    });
  }
  for (std::size_t i = 0; i < ordinary.size(); ++i) {
    each_sequence(words_of(ordinary[i]), most, [&](const std::string& key, std::int64_t, std::size_t, std::size_t) {
      const auto found = counts.find(key);
      if (found == counts.end() || found->second.last_ordinary == i) return;
      found->second.last_ordinary = i;
      ++found->second.ordinary;
    });
  }
  return counts;
}

using Ranked = std::pair<std::string, Phrase>;

// A piece says nothing that its whole does not, unless far more texts hold the piece.
bool says_more(const Ranked& one, const std::vector<Ranked>& kept) {
  return std::none_of(kept.begin(), kept.end(), [&](const Ranked& other) {
    if (one.first.find(other.first) != std::string::npos) return true;
    return other.first.find(one.first) != std::string::npos && one.second.texts.size() < 2 * other.second.texts.size();
  });
}

}  // namespace

std::vector<Phrase> shared_phrases(const std::vector<std::string>& texts, const std::vector<std::string>& ordinary,
                                   const PhraseOptions& options) {
  std::vector<Ranked> ranked;
  for (auto& [key, count] : counted(texts, ordinary, options.max_words)) {
    if (count.phrase.texts.size() < options.min_texts) continue;
    Phrase phrase = std::move(count.phrase);
    phrase.share = static_cast<double>(phrase.texts.size()) / static_cast<double>(texts.size());
    if (!ordinary.empty()) phrase.ordinary = static_cast<double>(count.ordinary) / static_cast<double>(ordinary.size());
    if (phrase.share >= options.rarer * phrase.ordinary) ranked.emplace_back(key, std::move(phrase));
  }
  const auto worth = [](const Phrase& phrase) {
    return (phrase.share - phrase.ordinary) * std::log2(1.0 + static_cast<double>(phrase.words));
  };
  std::stable_sort(ranked.begin(), ranked.end(),
                   [&](const Ranked& a, const Ranked& b) { return worth(a.second) > worth(b.second); });
  std::vector<Ranked> kept;
  for (Ranked& one : ranked) {
    if (kept.size() >= options.limit) break;
    if (says_more(one, kept)) kept.push_back(std::move(one));
  }
  std::vector<Phrase> out;
  for (Ranked& one : kept) out.push_back(std::move(one.second));
  return out;
}

}  // namespace reveille::scan
