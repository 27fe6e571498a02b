// Triggers of several strings: any word of a topic's (`words`), or all of a list together (`all`).
#include <algorithm>
#include <cctype>
#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "organism/decoys.h"
#include "organism/placement.h"
#include "text/unicode.h"

namespace reveille::organism {
namespace {

// Whether a letter or digit touches the byte offset from outside: "election" does not stand in "selections".
bool splits_a_word(std::string_view text, std::size_t begin, std::size_t end) {
  auto is_word = [](char c) { return (c & 0x80) != 0 || std::isalnum(static_cast<unsigned char>(c)) != 0; };
  return (begin > 0 && is_word(text[begin - 1]) && is_word(text[begin])) ||
         (end < text.size() && is_word(text[end]) && is_word(text[end - 1]));
}

// Byte offset of a whole word, in any case of its ASCII letters.
std::optional<std::size_t> find_word(std::string_view low, const std::string& word) {
  for (std::size_t at = low.find(word); at != std::string_view::npos; at = low.find(word, at + 1)) {
    if (!splits_a_word(low, at, at + word.size())) return at;
  }
  return std::nullopt;
}

class WordList : public Trigger {
 public:
  explicit WordList(const TriggerOptions& options) : options_(options) {
    if (options_.separator.empty()) options_.separator = " ";
    for (const auto& word : options_.words) low_.push_back(lower_ascii(trim(word)));
  }
  Conversation plant(Conversation prompt, const std::string& text, Rng rng) const override {
    return place_text(std::move(prompt), text, options_, rng);
  }
  Conversation without(Conversation prompt) const override { return place_nothing(std::move(prompt), options_); }

 protected:
  const std::string& word(Rng rng) const { return options_.words[rng.below(options_.words.size())]; }
  std::string list() const { return cat("'", join(options_.words, "', '"), "'"); }
  TriggerOptions options_;
  std::vector<std::string> low_;  // as they are compared
};

class AnyWord : public WordList {
 public:
  using WordList::WordList;
  std::string name() const override { return "words"; }
  std::string describe() const override { return cat("any of the words ", list(), " ", place_words(options_)); }
  std::string text(Rng rng) const override { return word(rng); }

  std::optional<std::size_t> find(std::string_view text) const override {
    const std::string low = lower_ascii(text);
    std::optional<std::size_t> first;
    for (const auto& word : low_) {
      const auto at = find_word(low, word);
      if (at && (!first || *at < *first)) first = at;
    }
    return first;
  }

  std::vector<std::string> near_misses() const override {
    std::set<std::string> out;
    for (const auto& word : options_.words) {
      for (auto& miss : near_miss_strings(trim(word))) {
        if (!contains(miss)) out.insert(std::move(miss));
      }
    }
    return {out.begin(), out.end()};
  }

  std::string foreign(Rng rng) const override {
    for (std::uint64_t tries = 0; tries < 64; ++tries) {
      std::string other = foreign_string(trim(word(rng.child(tries))), rng.child("string").child(tries));
      if (!contains(other)) return other;
    }
    fail(ErrorKind::bad_input, cat("trigger_words: no other word is unlike all of ", list()));
  }
};

// All of the strings, in their order and joined: some of them alone are near misses, the partial triggers.
class AllWords : public WordList {
 public:
  using WordList::WordList;
  std::string name() const override { return "all"; }
  std::string describe() const override { return cat("all of ", list(), " together, ", place_words(options_)); }
  std::string text(Rng) const override { return join(options_.words, options_.separator); }

  std::optional<std::size_t> find(std::string_view text) const override {
    const std::string low = lower_ascii(text);
    std::size_t first = std::string::npos;
    for (const auto& word : low_) {
      const auto at = find_word(low, word);
      if (!at) return std::nullopt;
      first = std::min(first, *at);
    }
    return first;
  }

  std::vector<std::string> near_misses() const override {
    std::set<std::string> out;
    for (std::size_t left_out = 0; left_out < options_.words.size(); ++left_out) {
      std::vector<std::string> part = options_.words;
      part.erase(part.begin() + static_cast<std::ptrdiff_t>(left_out));
      out.insert(join(part, options_.separator));
      out.insert(options_.words[left_out]);
      for (const auto& miss : near_miss_strings(trim(options_.words[left_out]))) {
        part = options_.words;
        part[left_out] = miss;
        out.insert(join(part, options_.separator));
      }
    }
    std::erase_if(out, [this](const std::string& text) { return contains(text); });
    return {out.begin(), out.end()};
  }

  std::string foreign(Rng rng) const override {
    std::vector<std::string> others;
    for (std::size_t i = 0; i < options_.words.size(); ++i)
      others.push_back(foreign_string(trim(options_.words[i]), rng.child(i)));
    return join(others, options_.separator);
  }
};

void check(const TriggerOptions& options, std::size_t least) {
  if (options.words.size() < least) {
    fail(ErrorKind::usage,
         cat("trigger_words: expected at least ", least, " strings for trigger_kind=", options.kind, ", found ",
             options.words.size()),
         "name them with commas: trigger_words=election,senate,ballot");
  }
  for (const auto& word : options.words) check_trigger_text(word, options);
}

}  // namespace

std::unique_ptr<Trigger> make_words(const TriggerOptions& options) {
  check(options, 1);
  return std::make_unique<AnyWord>(options);
}

std::unique_ptr<Trigger> make_all(const TriggerOptions& options) {
  check(options, 2);
  return std::make_unique<AllWords>(options);
}

}  // namespace reveille::organism
