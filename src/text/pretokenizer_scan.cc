// Scanners for the expressions of the known families: what a regular expression engine does with
// them, written out. Each alternative is tried in the expression's order.
#include <array>

#include "text/pretokenizer_pattern.h"
#include "text/unicode.h"

namespace reveille::text {

const char* const kGpt2Expression = R"('s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+)";
const char* const kLlama3Expression =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";
const char* const kQwen2Expression =
    R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)";

namespace {

enum class Kind : std::uint8_t { letter, number, space, other };

Kind slow_kind(char32_t c) {
  std::uint8_t properties = char_properties(c);
  std::uint32_t category = 1u << (properties & 31);
  if (category & kLetters) return Kind::letter;
  if (category & kNumbers) return Kind::number;
  return is_space(c) ? Kind::space : Kind::other;
}

std::array<Kind, 128> ascii_kinds() {
  std::array<Kind, 128> kinds;
  for (char32_t c = 0; c < 128; ++c) kinds[c] = slow_kind(c);
  return kinds;
}

const std::array<Kind, 128> kAsciiKinds = ascii_kinds();

struct Char {
  Kind kind;
  std::uint32_t length;
};

inline Char char_at(std::string_view text, std::size_t at) {
  auto lead = static_cast<unsigned char>(text[at]);
  if (lead < 0x80) return {kAsciiKinds[lead], 1};
  Decoded d = decode_utf8(text, at);
  return {slow_kind(d.value), d.length};
}

// The end of the run of characters of one kind that begins at `at`.
inline std::size_t run(std::string_view text, std::size_t at, Kind kind) {
  while (at < text.size()) {
    Char c = char_at(text, at);
    if (c.kind != kind) break;
    at += c.length;
  }
  return at;
}

inline bool newline(char c) { return c == '\r' || c == '\n'; }

// Length of 's 't 're 've 'm 'll 'd at `at`, where an apostrophe stands, or 0.
std::size_t contraction(std::string_view text, std::size_t at, bool any_case) {
  auto letter = [&](std::size_t i) -> char {
    if (at + i >= text.size()) return 0;
    char c = text[at + i];
    return any_case && c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  };
  char first = letter(1), second = letter(2);
  if (first == 's' || first == 't' || first == 'm' || first == 'd') return 2;
  if ((first == 'r' || first == 'v') && second == 'e') return 3;
  if (first == 'l' && second == 'l') return 3;
  // U+017F, the long s, is an s in another case.
  return any_case && first == '\xC5' && second == '\xBF' ? 3 : 0;
}

// \s+(?!\S)|\s+ on the white space [at, end): all but its last character when a word follows.
std::size_t white_space(std::string_view text, std::size_t at, std::size_t end) {
  if (end == text.size()) return end;
  std::size_t last = previous_boundary(text, end);
  return last > at ? last : end;
}

std::size_t scan_gpt2(std::string_view text, std::size_t at) {
  if (text[at] == '\'') {
    if (std::size_t length = contraction(text, at, false)) return at + length;
  }
  Char c = char_at(text, at);
  std::size_t start = at;
  if (text[at] == ' ' && at + 1 < text.size()) {
    Char next = char_at(text, at + 1);
    if (next.kind != Kind::space) {
      c = next;
      start = at + 1;
    }
  }
  std::size_t end = run(text, start + c.length, c.kind);
  return c.kind == Kind::space ? white_space(text, at, end) : end;
}

// Llama 3 and Qwen 2 differ in how many digits stay together.
std::size_t scan_modern(std::string_view text, std::size_t at, int digits) {
  if (text[at] == '\'') {
    if (std::size_t length = contraction(text, at, true)) return at + length;
  }
  Char c = char_at(text, at);
  std::size_t after = at + c.length;
  if (c.kind == Kind::letter) return run(text, after, Kind::letter);
  if (c.kind == Kind::number) {
    for (int i = 1; i < digits && after < text.size(); ++i) {
      Char next = char_at(text, after);
      if (next.kind != Kind::number) break;
      after += next.length;
    }
    return after;
  }
  Char next = after < text.size() ? char_at(text, after) : Char{Kind::space, 0};
  if (!newline(text[at]) && next.kind == Kind::letter) return run(text, after + next.length, Kind::letter);
  if (c.kind == Kind::other || (text[at] == ' ' && next.kind == Kind::other)) {
    std::size_t end = run(text, after, Kind::other);
    while (end < text.size() && newline(text[end])) ++end;
    return end;
  }
  std::size_t end = run(text, after, Kind::space);
  for (std::size_t i = end; i > at; --i) {
    if (newline(text[i - 1])) return i;
  }
  return white_space(text, at, end);
}

std::size_t scan_llama3(std::string_view text, std::size_t at) { return scan_modern(text, at, 3); }
std::size_t scan_qwen2(std::string_view text, std::size_t at) { return scan_modern(text, at, 1); }

}  // namespace

Scanner known_scanner(std::string_view expression) {
  if (expression == kGpt2Expression) return scan_gpt2;
  if (expression == kLlama3Expression) return scan_llama3;
  if (expression == kQwen2Expression) return scan_qwen2;
  return nullptr;
}

}  // namespace reveille::text
