#include "text/unicode.h"

#include <array>
#include <cstring>
#include <map>
#include <vector>

namespace reveille::text {
namespace {

// GPT-2's bytes_to_unicode(): printable Latin-1 stands for itself, the rest follows from U+0100.
struct Alphabet {
  std::array<char32_t, 256> chars;
  std::array<std::int16_t, 512> bytes;
  Alphabet() {
    bytes.fill(-1);
    char32_t next = 256;
    for (unsigned b = 0; b < 256; ++b) {
      bool printable = (b >= '!' && b <= '~') || (b >= 0xA1 && b <= 0xAC) || b >= 0xAE;
      chars[b] = printable ? b : next++;
      bytes[chars[b]] = static_cast<std::int16_t>(b);
    }
  }
};

const Alphabet& alphabet() {
  static const Alphabet instance;
  return instance;
}

}  // namespace

CharTable::CharTable() {
  std::vector<std::uint8_t> all(0x110000);
  for (std::size_t i = 0; i < kUnicodeRangeCount; ++i) {
    std::size_t begin = kUnicodeRanges[i] >> 8;
    std::size_t end = i + 1 < kUnicodeRangeCount ? kUnicodeRanges[i + 1] >> 8 : all.size();
    std::memset(all.data() + begin, static_cast<int>(kUnicodeRanges[i] & 255), end - begin);
  }
  std::map<std::string_view, std::uint16_t> numbers;
  std::vector<std::string_view> distinct;
  for (std::size_t block = 0; block < 0x1100; ++block) {
    std::string_view bytes(reinterpret_cast<const char*>(all.data()) + block * 256, 256);
    auto [entry, added] = numbers.try_emplace(bytes, static_cast<std::uint16_t>(distinct.size()));
    if (added) distinct.push_back(bytes);
    block_of_[block] = entry->second;
  }
  // Lives as long as the program (char_table() makes one instance).
  blocks_ = new std::uint8_t[distinct.size()][256];
  for (std::size_t i = 0; i < distinct.size(); ++i) std::memcpy(blocks_[i], distinct[i].data(), 256);
}

const CharTable& char_table() {
  static const CharTable* const table = new CharTable;
  return *table;
}

bool is_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 9 && c <= 13);
  return c == 0x85 || in_categories(c, bit(Category::Zs) | bit(Category::Zl) | bit(Category::Zp));
}

bool is_word(char32_t c) {
  constexpr std::uint32_t kWord = kLetters | kMarks | bit(Category::Nd) | bit(Category::Nl) | bit(Category::Pc);
  if (in_categories(c, kWord) || c == 0x200C || c == 0x200D) return true;
  // Circled and squared letters: symbols that are Alphabetic.
  return (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) ||
         (c >= 0x1F170 && c <= 0x1F189);
}

bool is_numeric(char32_t c) {
  // Two ranges are digits since Unicode 17.0.
  return in_categories(c, kNumbers) || (c >= 0x11DE0 && c <= 0x11DE9) || (c >= 0x16FF4 && c <= 0x16FF6);
}

void append_utf8(std::string& out, char32_t c) {
  auto put = [&](char32_t byte) { out += static_cast<char>(byte); };
  if (c < 0x80) return put(c);
  if (c < 0x800) return put(0xC0 | c >> 6), put(0x80 | (c & 63));
  if (c < 0x10000) return put(0xE0 | c >> 12), put(0x80 | (c >> 6 & 63)), put(0x80 | (c & 63));
  put(0xF0 | c >> 18), put(0x80 | (c >> 12 & 63)), put(0x80 | (c >> 6 & 63)), put(0x80 | (c & 63));
}

std::u32string to_utf32(std::string_view text) {
  std::u32string out;
  for (std::size_t at = 0; at < text.size();) {
    Decoded d = decode_utf8(text, at);
    out += d.value;
    at += d.length;
  }
  return out;
}

std::size_t incomplete_tail(std::string_view bytes) {
  for (std::size_t back = 1; back <= 3 && back <= bytes.size(); ++back) {
    auto byte = static_cast<unsigned char>(bytes[bytes.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;
    std::size_t need = byte >= 0xF0 && byte <= 0xF4  ? 4
                       : byte >= 0xE0 && byte < 0xF0 ? 3
                       : byte >= 0xC2 && byte < 0xE0 ? 2
                                                     : 1;
    return need > back ? back : 0;
  }
  return 0;
}

char32_t byte_to_char(std::uint8_t byte) { return alphabet().chars[byte]; }

int char_to_byte(char32_t c) { return c < 512 ? alphabet().bytes[c] : -1; }

bool alphabet_to_bytes(std::string_view text, std::string& bytes) {
  bytes.clear();
  for (std::size_t at = 0; at < text.size();) {
    Decoded d = decode_utf8(text, at);
    int byte = char_to_byte(d.value);
    if (byte < 0) return false;
    bytes += static_cast<char>(byte);
    at += d.length;
  }
  return true;
}

std::string bytes_to_alphabet(std::string_view bytes) {
  std::string out;
  for (char b : bytes) append_utf8(out, byte_to_char(static_cast<std::uint8_t>(b)));
  return out;
}

}  // namespace reveille::text
