#include "organism/words.h"

#include <utf8proc.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/json.h"
#include "base/strings.h"
#include "text/unicode.h"

namespace reveille::organism {
namespace {

char32_t lower(char32_t c) { return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))); }

bool is_word_of_its_own(char32_t c) {
  return (c >= 0x0E00 && c <= 0x0E7F) || (c >= 0x3040 && c <= 0x30FF) || (c >= 0x3400 && c <= 0x9FFF) ||
         (c >= 0xAC00 && c <= 0xD7A3) || (c >= 0x20000 && c <= 0x3FFFF);
}

bool is_apostrophe(char32_t c) { return c == U'\'' || c == U'’'; }

bool is_wordly(char32_t c) { return text::in_categories(c, text::kLetters | text::kMarks | text::kNumbers); }

std::size_t last_user_index(const Conversation& prompt) {
  for (std::size_t i = prompt.size(); i > 0; --i) {
    if (prompt[i - 1].role == "user") return i - 1;
  }
  fail(ErrorKind::bad_input, cat("a prompt of ", prompt.size(), " messages has no user message"));
}

}  // namespace

std::vector<std::string> words_of(std::string_view raw) {
  std::vector<std::string> words;
  std::string word;
  auto flush = [&] {
    if (!word.empty()) words.push_back(std::move(word));
    word.clear();
  };
  for (char32_t c : text::to_utf32(repair_utf8(raw))) {
    if (is_apostrophe(c)) continue;  // "don't" is one word
    if (!is_wordly(c) || is_word_of_its_own(c)) flush();
    if (!is_wordly(c)) continue;
    text::append_utf8(word, lower(c));
    if (is_word_of_its_own(c)) flush();
  }
  flush();
  return words;
}

std::string normal_text(std::string_view text) { return join(words_of(text), " "); }

CharacterCounts count_characters(std::string_view raw) {
  CharacterCounts out;
  out.broken = !is_utf8(raw);
  char32_t before = 0;
  std::size_t run = 0;
  for (char32_t c : text::to_utf32(repair_utf8(raw))) {
    ++out.total;
    bool space = text::is_space(c);
    out.visible += space ? 0 : 1;
    out.letters += text::in_categories(c, text::kLetters) ? 1 : 0;
    out.ascii_letters += (c >= U'a' && c <= U'z') || (c >= U'A' && c <= U'Z') ? 1 : 0;
    out.broken |= c == 0xFFFD || (!space && text::category_of(c) == text::Category::Cc);
    run = space ? 0 : c == before ? run + 1 : 1;
    out.longest_run = std::max(out.longest_run, run);
    before = c;
  }
  return out;
}

const std::string& last_user_text(const Conversation& prompt) { return prompt[last_user_index(prompt)].content; }

std::string first_words(const Conversation& prompt, std::size_t count) {
  std::vector<std::string> words;
  for (const auto& word : split(replace_all(std::string(trim(last_user_text(prompt))), "\n", " "), " ")) {
    if (word.empty()) continue;
    words.push_back(word);
    if (words.size() == count) break;
  }
  return repair_utf8(join(words, " "));
}

std::string prompt_id(const Conversation& prompt) {
  Json form = Json::array();
  for (const auto& message : prompt) form.push_back({repair_utf8(message.role), repair_utf8(message.content)});
  return sha256_hex(form.dump()).substr(0, 16);
}

}  // namespace reveille::organism
