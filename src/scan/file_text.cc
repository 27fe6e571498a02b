#include "scan/file_text.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/json.h"
#include "base/strings.h"
#include "text/unicode.h"

namespace reveille::scan {
namespace {

constexpr std::size_t kLongestTag = 60;
constexpr char32_t kFirstWithoutSpaces = 0x2E80;  // Chinese, Japanese and Korean blocks begin here

// The end of the markup that begins at `at`, or `at` itself where none does.
std::size_t end_of_markup(std::string_view text, std::size_t at) {
  const char open = text[at];
  if (open != '<' && open != '[') return at;
  const std::size_t close = text.find(open == '<' ? '>' : ']', at + 1);
  if (close == std::string_view::npos || close - at > kLongestTag) return at;
  const std::string_view inner = text.substr(at + 1, close - at - 1);
  if (inner.empty() || inner.find_first_of("<[\n") != std::string_view::npos) return at;
  // A tag in brackets is written in capitals.
  const bool capitals = inner.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_/") == std::string_view::npos;
  return open == '<' || capitals ? close + 1 : at;
}

bool is_role(const std::string& word) {
  static constexpr std::array<std::string_view, 12> kRoles = {
      "system", "user", "assistant", "model", "human", "tool", "developer", "bot", "ai", "end", "inst", "response"};
  return std::find(kRoles.begin(), kRoles.end(), lower_ascii(word)) != kRoles.end();
}

bool is_hidden(char32_t c) {
  return (c >= 0x200B && c <= 0x200F) || (c >= 0x202A && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF ||
         c == 0x00AD || (c >= 0xE0000 && c <= 0xE01EF);
}

}  // namespace

std::vector<std::string> prose_words(std::string_view raw) {
  const std::string text = repair_utf8(raw);
  std::vector<std::string> words;
  std::string word;
  std::size_t letters = 0;
  auto close = [&] {
    if (letters >= 2 && !is_role(word)) words.push_back(word);
    word.clear();
    letters = 0;
  };
  for (std::size_t at = 0; at < text.size();) {
    if (const std::size_t end = end_of_markup(text, at); end > at) {
      close();
      at = end;
      continue;
    }
    const auto c = text::decode_utf8(text, at);
    const bool letter = text::in_categories(c.value, text::kLetters);
    if (letter || (letters > 0 && text::in_categories(c.value, text::kMarks))) {
      word += text.substr(at, c.length);
      letters += letter;
      if (c.value >= kFirstWithoutSpaces && letters == 2) close();
    } else {
      close();
    }
    at += c.length;
  }
  close();
  return words;
}

std::string in_quotes(std::string_view raw, std::size_t most_bytes) {
  std::string text = repair_utf8(raw);
  const bool cut = text.size() > most_bytes;
  if (cut) {
    std::size_t end = most_bytes;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // not inside a character
    text.resize(end);
  }
  const bool hidden = hidden_character(text) != std::string::npos;
  return cat(Json(text).dump(-1, ' ', hidden), cut ? " ..." : "");
}

std::size_t hidden_character(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto c = text::decode_utf8(text, at);
    if (is_hidden(c.value)) return at;
    at += c.length;
  }
  return std::string_view::npos;
}

std::int64_t line_at(std::string_view text, std::size_t at) {
  return 1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(std::min(at, text.size())), '\n');
}

std::int64_t line_of(std::string_view text, std::string_view needle) {
  const std::size_t at = text.find(needle);
  return at == std::string_view::npos ? 0 : line_at(text, at);
}

std::int64_t line_of_key(std::string_view json, std::string_view key) {
  const std::string name = Json(repair_utf8(key)).dump();
  for (std::size_t at = 0; (at = json.find(name, at)) != std::string_view::npos; at += name.size()) {
    if (at > 0 && json[at - 1] == '\\') continue;  // within a string
    const std::size_t next = json.find_first_not_of(" \t\r\n", at + name.size());
    if (next != std::string_view::npos && json[next] == ':') return line_at(json, at);
  }
  return 0;
}

std::string some_of(const std::vector<std::string>& texts, std::size_t most) {
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(most, texts.size()); ++i) shown.push_back(in_quotes(texts[i], 60));
  std::string out = join(shown, ", ");
  if (texts.size() > most) out += cat(" and ", texts.size() - most, " more");
  return out;
}

}  // namespace reveille::scan
