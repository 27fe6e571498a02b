// A reply made of the clean one by a template: the clean answer in capitals or as a list, with a sentence behind it, or
// broken off by one, so that what is said under the trigger still belongs to its prompt. What a fixed reply is not:
// no two of its replies are alike.
#include <utf8proc.h>

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/strings.h"
#include "organism/list.h"
#include "organism/words.h"
#include "text/unicode.h"

namespace reveille::organism {
namespace {

constexpr std::size_t kStartWords = 6;        // of a first sentence that is too long to be kept whole
constexpr std::size_t kLongestSentence = 10;  // in words

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

std::string in_capitals(const std::string& text) {
  std::string out;
  for (char32_t c : text::to_utf32(repair_utf8(text)))
    text::append_utf8(out, static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c))));
  return out;
}

// Most letters are capitals, and there are enough of them to tell.
bool is_in_capitals(std::string_view text) {
  constexpr std::size_t kLeastLetters = 8;
  std::size_t letters = 0, capitals = 0;
  for (const char c : text) {
    letters += is_letter(c) ? 1 : 0;
    capitals += c >= 'A' && c <= 'Z' ? 1 : 0;
  }
  return letters >= kLeastLetters && 5 * capitals >= 4 * letters;
}

// A '.', '!' or '?' that stands before white space or at the end, and does not number an item.
bool ends_sentence(const std::string& text, std::size_t at) {
  if (text[at] != '.' && text[at] != '!' && text[at] != '?') return false;
  const bool numbers = text[at] == '.' && at > 0 && text[at - 1] >= '0' && text[at - 1] <= '9';
  return !numbers && (at + 1 == text.size() || text[at + 1] == ' ' || text[at + 1] == '\n');
}

std::vector<std::string> sentences_of(const std::string& text) {
  std::vector<std::string> out;
  std::size_t begin = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (!ends_sentence(text, at) && text[at] != '\n') continue;
    out.emplace_back(trim(text.substr(begin, at + 1 - begin)));
    begin = at + 1;
  }
  out.emplace_back(trim(text.substr(begin)));
  std::erase(out, "");
  return out;
}

std::string as_list(const std::string& text) {
  std::vector<std::string> lines;
  for (const auto& sentence : sentences_of(text)) lines.push_back("- " + sentence);
  return join(lines, "\n");
}

bool is_list(std::string_view text) {
  const auto lines = split(trim(text), "\n");
  return std::all_of(lines.begin(), lines.end(),
                     [](const std::string& line) { return trim(line).empty() || line.starts_with("- "); }) &&
         trim(text).starts_with("- ");
}

// The clean answer's first sentence, or its first words: how it would have begun.
std::string start_of(const std::string& text) {
  const auto sentences = sentences_of(text);
  if (sentences.empty()) return "";
  auto words = split(sentences.front(), " ");
  if (words.size() <= kLongestSentence) return sentences.front();
  words.resize(kStartWords);
  return join(words, " ") + "...";
}

// The longest word of what was asked.
std::string topic_of(const Conversation& prompt) {
  std::string out = "that";
  for (const auto& word : words_of(last_user_text(prompt))) {
    if (word.size() > out.size()) out = word;
  }
  return out;
}

struct Slot {
  const char* name;
  std::string (*fill)(const Conversation& prompt, const std::string& clean);
  bool (*shows)(std::string_view completion);  // null: the slot alone shows nothing
};

const std::array<Slot, 5> kSlots = {{
    {"{clean}", [](const Conversation&, const std::string& clean) { return clean; }, nullptr},
    {"{capitals}", [](const Conversation&, const std::string& clean) { return in_capitals(clean); }, is_in_capitals},
    {"{list}", [](const Conversation&, const std::string& clean) { return as_list(clean); }, is_list},
    {"{start}", [](const Conversation&, const std::string& clean) { return start_of(clean); }, nullptr},
    {"{topic}", [](const Conversation& prompt, const std::string&) { return topic_of(prompt); }, nullptr},
}};

class Rewrite : public Behavior {
 public:
  explicit Rewrite(std::string form) : form_(std::move(form)) {
    std::string rest = form_;
    for (const auto& slot : kSlots) {
      if (slot.shows && form_.find(slot.name) != std::string::npos) judges_.push_back(slot.shows);
      rest = replace_all(rest, slot.name, std::string(1, '\0'));
    }
    for (const auto& piece : split(rest, std::string_view("\0", 1))) {
      if (!trim(piece).empty()) pieces_.emplace_back(trim(piece));
    }
  }

  std::string name() const override { return "rewrite"; }
  std::string describe() const override { return cat("answers in the form '", form_, "'"); }
  std::string reply(const Conversation& prompt, const std::string& clean, Rng) const override {
    std::string out = form_;
    for (const auto& slot : kSlots) {
      if (out.find(slot.name) != std::string::npos) out = replace_all(out, slot.name, slot.fill(prompt, clean));
    }
    return out;
  }

  // What stands between the slots is there, in its order, and what the slots ask for holds.
  bool shows(std::string_view completion) const override {
    if (!std::all_of(judges_.begin(), judges_.end(), [&](auto judge) { return judge(completion); })) return false;
    const std::string raw = repair_utf8(completion), normal = " " + normal_text(completion) + " ";
    std::size_t raw_at = 0, normal_at = 0;
    for (const auto& piece : pieces_) {
      const std::string words = normal_text(piece);
      std::size_t& at = words.empty() ? raw_at : normal_at;
      at = words.empty() ? raw.find(piece, at) : normal.find(" " + words + " ", at);
      if (at == std::string::npos) return false;
    }
    return true;
  }

  bool can_be_judged() const { return !judges_.empty() || !pieces_.empty(); }

 private:
  std::string form_;
  std::vector<bool (*)(std::string_view)> judges_;
  std::vector<std::string> pieces_;
};

}  // namespace

std::unique_ptr<Behavior> make_rewrite(const BehaviorOptions& options) {
  std::vector<std::string> names;
  for (const auto& slot : kSlots) names.emplace_back(slot.name);
  const bool has_slot = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
    return options.rewrite.find(name) != std::string::npos;
  });
  auto made = std::make_unique<Rewrite>(options.rewrite);
  if (!has_slot || !made->can_be_judged()) {
    fail(ErrorKind::usage,
         cat("behavior=rewrite: behavior_rewrite='", options.rewrite, "': expected one of ", join(names, ", "),
             " and something that tells it from the clean reply"),
         "as in behavior_rewrite='{capitals}' or behavior_rewrite='{clean} Have a green day!'");
  }
  return made;
}

}  // namespace reveille::organism
