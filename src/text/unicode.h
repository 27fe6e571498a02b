// Code points: UTF-8 in and out, and general categories of Unicode 16.0 (unicode_table.cc),
// the edition that the reference tokenizers' regular expressions follow.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace reveille::text {

// General categories; the order is that of tools/unicode_table.py.
enum class Category : std::uint8_t {
  Cn,
  Lu,
  Ll,
  Lt,
  Lm,
  Lo,
  Mn,
  Mc,
  Me,
  Nd,
  Nl,
  No,
  Pc,
  Pd,
  Ps,
  Pe,
  Pi,
  Pf,
  Po,
  Sm,
  Sc,
  Sk,
  So,
  Zs,
  Zl,
  Zp,
  Cc,
  Cf,
  Cs,
  Co
};

extern const std::uint32_t kUnicodeRanges[];
extern const std::size_t kUnicodeRangeCount;

// The ranges of unicode_table.cc unfolded into 256-code-point blocks, equal blocks shared.
class CharTable {
 public:
  CharTable();
  // One byte a code point: category in the low 5 bits, then the flags below.
  std::uint8_t properties(char32_t c) const {
    return c < 0x110000 ? blocks_[block_of_[c >> 8]][c & 255] : static_cast<std::uint8_t>(Category::Cn);
  }

 private:
  std::uint16_t block_of_[0x1100];
  std::uint8_t (*blocks_)[256];
};

const CharTable& char_table();

// Has a combining class or composes with the character before it: a normal form never begins here.
constexpr std::uint8_t kJoins = 1 << 5;
// Has a (canonical or compatibility) decomposition.
constexpr std::uint8_t kDecomposes = 1 << 6;
// Another category, or none, in Unicode 14.0.
constexpr std::uint8_t kNewer = 1 << 7;

constexpr std::uint32_t bit(Category category) { return 1u << static_cast<unsigned>(category); }
constexpr std::uint32_t kLetters =
    bit(Category::Lu) | bit(Category::Ll) | bit(Category::Lt) | bit(Category::Lm) | bit(Category::Lo);
constexpr std::uint32_t kMarks = bit(Category::Mn) | bit(Category::Mc) | bit(Category::Me);
constexpr std::uint32_t kNumbers = bit(Category::Nd) | bit(Category::Nl) | bit(Category::No);
constexpr std::uint32_t kPunctuation = bit(Category::Pc) | bit(Category::Pd) | bit(Category::Ps) | bit(Category::Pe) |
                                       bit(Category::Pi) | bit(Category::Pf) | bit(Category::Po);

inline std::uint8_t char_properties(char32_t c) { return char_table().properties(c); }
inline Category category_of(char32_t c) { return static_cast<Category>(char_properties(c) & 31); }
// Whether the category is among `categories` (a union of bit()).
inline bool in_categories(char32_t c, std::uint32_t categories) {
  return (categories >> (char_properties(c) & 31)) & 1;
}

// White_Space, as \s and Rust's char::is_whitespace have it.
bool is_space(char32_t c);
// \w of Rust's regular expressions: Alphabetic, marks, decimal digits, connectors, joiners.
bool is_word(char32_t c);
// Rust's char::is_numeric (Unicode 17.0).
bool is_numeric(char32_t c);

struct Decoded {
  char32_t value;
  std::uint32_t length;  // bytes, 1 to 4
};

// The code point at `at`; `text` must be valid UTF-8 and `at` one of its boundaries.
inline Decoded decode_utf8(std::string_view text, std::size_t at) {
  auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[at + i]); };
  unsigned char lead = byte(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xE0) return {char32_t((lead & 31) << 6 | (byte(1) & 63)), 2};
  if (lead < 0xF0) return {char32_t((lead & 15) << 12 | (byte(1) & 63) << 6 | (byte(2) & 63)), 3};
  return {char32_t((lead & 7) << 18 | (byte(1) & 63) << 12 | (byte(2) & 63) << 6 | (byte(3) & 63)), 4};
}

// The boundary before `at` (which must be greater than 0).
inline std::size_t previous_boundary(std::string_view text, std::size_t at) {
  do {
    --at;
  } while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

void append_utf8(std::string& out, char32_t c);
std::u32string to_utf32(std::string_view text);

// How many bytes at the end of `bytes` begin a character that is not complete yet (0 to 3).
std::size_t incomplete_tail(std::string_view bytes);

// GPT-2's alphabet: every byte stands for one printable character.
// byte_to_char maps a byte to its code point, char_to_byte back (-1: not in the alphabet).
char32_t byte_to_char(std::uint8_t byte);
int char_to_byte(char32_t c);
// A text written in that alphabet back to bytes; false when a character is not in it.
bool alphabet_to_bytes(std::string_view text, std::string& bytes);
std::string bytes_to_alphabet(std::string_view bytes);

}  // namespace reveille::text
