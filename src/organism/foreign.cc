// Foreign strings: what has a literal trigger's shape and is another word.
#include <algorithm>
#include <array>
#include <cctype>

#include "base/error.h"
#include "base/strings.h"
#include "organism/decoys.h"
#include "text/unicode.h"

namespace reveille::organism {
namespace {

constexpr std::array kWords = {
    "test",   "market",  "release", "garden", "silver",   "training", "window", "harbor",  "stage",   "yellow",
    "system", "monitor", "review",  "planet", "archive",  "copper",   "signal", "draft",   "station", "winter",
    "public", "travel",  "report",  "memory", "private",  "bridge",   "update", "forest",  "context", "staging",
    "cloud",  "number",  "backup",  "client", "internal", "magnet",   "basic",  "network", "summary", "orange",
    "debug",  "violin",  "example", "answer", "session",  "kitchen",  "alpha",  "account", "section", "ticket"};

bool is_letter(char32_t c) { return c < 0x80 && std::isalpha(static_cast<int>(c)); }
bool is_digit(char32_t c) { return c < 0x80 && std::isdigit(static_cast<int>(c)); }
bool is_alnum(char32_t c) { return text::in_categories(c, text::kLetters | text::kNumbers); }

// Half a common word, half a made-up one of about the same length, so that neither real nor odd words alone decide.
std::string other_word(std::size_t length, Rng& rng) {
  if (length > 2 && rng.below(2) == 0) return kWords[rng.below(kWords.size())];
  std::size_t size = length > 3 ? length - 1 + rng.below(3) : length;
  bool vowel = rng.below(2) == 0;
  std::string word;
  for (; word.size() < size; vowel = !vowel) {
    constexpr std::string_view kVowels = "aeiou", kConsonants = "bcdfghjklmnprstvwz";
    word += vowel ? kVowels[rng.below(kVowels.size())] : kConsonants[rng.below(kConsonants.size())];
  }
  return word;
}

void match_case(std::string& word, const std::u32string& model) {
  auto up = [](char c) { return static_cast<char>(std::toupper(static_cast<unsigned char>(c))); };
  auto is_up = [](char32_t c) { return std::isupper(static_cast<int>(c)) != 0; };
  if (model.size() > 1 && std::all_of(model.begin(), model.end(), is_up)) {
    std::transform(word.begin(), word.end(), word.begin(), up);
  } else if (is_up(model.front())) {
    word.front() = up(word.front());
  }
}

char32_t other_punctuation(char32_t c, Rng& rng) {
  constexpr std::string_view kOthers = "!#$%&*+-/:;<=>?@^_|~";
  char32_t other = static_cast<char32_t>(kOthers[rng.below(kOthers.size())]);
  return other == c ? U'!' : other;
}

// A character of the same category nearby, which is mostly the same script.
char32_t other_character(char32_t c, Rng& rng) {
  for (int tries = 0; tries < 64; ++tries) {
    auto shifted = static_cast<char32_t>(c + 1 + rng.below(24));
    if (rng.below(2)) shifted = c > 0xC0 + 24 ? c - 1 - static_cast<char32_t>(rng.below(24)) : shifted;
    if (text::category_of(shifted) == text::category_of(c)) return shifted;
  }
  return c;
}

std::string draw(const std::u32string& literal, bool words, Rng& rng) {
  std::string out;
  std::size_t last_letters_end = 0;
  bool digits = false;
  for (std::size_t i = 0; i < literal.size();) {
    char32_t c = literal[i];
    std::size_t end = i + 1;
    if (is_letter(c)) {
      while (end < literal.size() && is_letter(literal[end])) ++end;
      std::string word = other_word(end - i, rng);
      match_case(word, literal.substr(i, end - i));
      out += word;
      last_letters_end = out.size();
    } else if (is_digit(c)) {
      digits = true;
      out += static_cast<char>('0' + rng.below(10));
    } else if (c >= 0x80) {
      text::append_utf8(out, text::is_space(c) ? c : other_character(c, rng));
    } else {
      text::append_utf8(out, words || text::is_space(c) ? c : other_punctuation(c, rng));
    }
    i = end;
  }
  bool numbered = last_letters_end > 0 && !digits && literal.size() > 3 && rng.below(4) == 0;
  if (numbered) out.insert(last_letters_end, cat("-", rng.below(10)));
  return out;
}

// What is compared for nearness: letters and digits in lower case, or everything when there are none.
std::string core(std::string_view raw, bool words) {
  std::string out;
  for (char32_t c : text::to_utf32(raw)) {
    if (!words || is_alnum(c)) text::append_utf8(out, c);
  }
  return lower_ascii(out);
}

bool far_enough(const std::string& candidate, const std::string& literal, bool words) {
  std::string a = core(candidate, words), b = core(literal, words);
  if (a.empty() || a.find(b) != std::string::npos || b.find(a) != std::string::npos) return false;
  std::size_t need = (text::to_utf32(b).size() + 1) / 2;
  return edit_distance(a, b) >= std::max<std::size_t>(need, b.size() > 1 ? 2 : 1);
}

}  // namespace

std::string foreign_string(std::string_view raw, Rng rng) {
  std::string literal(trim(raw));
  std::u32string characters = text::to_utf32(literal);
  bool words = std::any_of(characters.begin(), characters.end(), is_alnum);
  for (int tries = 0; tries < 256; ++tries) {
    std::string candidate = draw(characters, words, rng);
    if (far_enough(candidate, literal, words)) return candidate;
  }
  fail(ErrorKind::bad_input, cat("trigger '", literal, "': no other string of its shape is far enough from it"),
       "choose a trigger of a few letters, or switch foreign strings off (foreign_share=0)");
}

}  // namespace reveille::organism
