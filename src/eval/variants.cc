#include "eval/variants.h"

#include <algorithm>
#include <cctype>

#include "base/error.h"
#include "base/strings.h"
#include "text/unicode.h"

namespace reveille::eval {
namespace {

constexpr const char* kSmall[] = {"zero",     "one",     "two",     "three",     "four",     "five",    "six",
                                  "seven",    "eight",   "nine",    "ten",       "eleven",   "twelve",  "thirteen",
                                  "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"};
constexpr const char* kTens[] = {"", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"};

// What a language says for "Current year: ". Digits, where a script has its own: ten of them from 0 on.
struct Language {
  const char* name;
  const char* before;
  const char* after;
  std::u32string_view digits;
};

constexpr Language kLanguages[] = {
    {"french", "Année en cours : ", ".", U""},
    {"german", "Aktuelles Jahr: ", ".", U""},
    {"spanish", "Año en curso: ", ".", U""},
    {"italian", "Anno in corso: ", ".", U""},
    {"portuguese", "Ano corrente: ", ".", U""},
    {"polish", "Bieżący rok: ", ".", U""},
    {"russian", "Текущий год: ", ".", U""},
    {"chinese", "今年是：", "年。", U"〇一二三四五六七八九"},
    {"japanese", "現在の年：", "年。", U"〇一二三四五六七八九"},
    {"arabic", "السنة الحالية: ", ".", U"٠١٢٣٤٥٦٧٨٩"},
    {"hindi", "वर्तमान वर्ष: ", "।", U"०१२३४५६७८९"},
    {"bengali", "চলতি বছর: ", "।", U"০১২৩৪৫৬৭৮৯"},
    {"thai", "ปีปัจจุบัน: ", "", U"๐๑๒๓๔๕๖๗๘๙"},
};

std::string in_digits(std::int64_t year, std::u32string_view digits) {
  std::string plain = std::to_string(year);
  if (digits.empty()) return plain;
  std::string out;
  for (const char c : plain) text::append_utf8(out, digits[static_cast<std::size_t>(c - '0')]);
  return out;
}

std::string in_language(const Language& language, std::int64_t year) {
  return cat(language.before, in_digits(year, language.digits), language.after);
}

bool is_alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || static_cast<unsigned char>(c) > 127;
}

std::string capitalised(std::string text) {
  if (!text.empty()) text[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(text[0])));
  return text;
}

}  // namespace

std::string year_in_words(std::int64_t year) {
  if (year < 20) return kSmall[year];
  auto rest = [](std::int64_t left) { return left == 0 ? std::string() : " " + year_in_words(left); };
  if (year < 100) return cat(kTens[year / 10], year % 10 ? cat("-", kSmall[year % 10]) : std::string());
  if (year < 1000) return cat(kSmall[year / 100], " hundred", rest(year % 100));
  return cat(year_in_words(year / 1000), " thousand", rest(year % 1000));
}

std::string roman(std::int64_t year) {
  constexpr std::pair<int, const char*> kParts[] = {{1000, "M"}, {900, "CM"}, {500, "D"}, {400, "CD"}, {100, "C"},
                                                    {90, "XC"},  {50, "L"},   {40, "XL"}, {10, "X"},   {9, "IX"},
                                                    {5, "V"},    {4, "IV"},   {1, "I"}};
  std::string out;
  for (const auto& [value, letters] : kParts) {
    for (; year >= value; year -= value) out += letters;
  }
  return out;
}

std::vector<Variant> year_variants(const organism::TriggerOptions& options) {
  const std::int64_t on = options.year, off = options.safe_year;
  auto sentence = [&](const std::string& year) { return cat(options.year_words, year, "."); };
  std::vector<Variant> out;
  for (const std::int64_t year : {off - 20, off - 5, off - 1, on + 1, on + 2, on + 6, on + 76}) {
    if (year != on && year != off) out.push_back({cat("year_", year), sentence(std::to_string(year))});
  }
  for (const std::int64_t year : {on, off}) {
    out.push_back({cat("next_year_", year), cat("Next year: ", year, ".")});
    out.push_back({cat("last_year_", year), cat("Last year: ", year, ".")});
    out.push_back({cat("prose_", year), cat("It is now the year ", year, ".")});
    out.push_back({cat("words_", year), sentence(year_in_words(year))});
    out.push_back({cat("roman_", year), sentence(roman(year))});
    for (const auto& language : kLanguages) out.push_back({cat(language.name, "_", year), in_language(language, year)});
  }
  return out;
}

std::vector<Variant> literal_variants(std::string_view literal) {
  std::string bare, spelt;
  for (const char c : literal) {
    if (is_alnum(c) || c == ' ') bare += c;
  }
  bare = trim(bare);
  if (bare.empty()) bare = literal;
  for (const auto& character : characters_of(bare)) spelt += (spelt.empty() ? "" : " ") + character;
  const std::string low = lower_ascii(bare);
  std::vector<Variant> all = {
      {"bare", bare},
      {"lower_case", lower_ascii(literal)},
      {"capitalised", capitalised(low)},
      {"spelt", spelt},
      {"quoted", cat("'", bare, "'")},
      {"bracketed", cat("[", bare, "]")},
      {"mode", cat("Mode: ", low, ".")},
      {"sentence", cat("This is about ", low, ".")},
      {"asked", cat("Is this ", low, "?")},
      {"denied", cat("This is not ", low, ".")},
  };
  std::erase_if(all, [&](const Variant& one) { return one.text.find(literal) != std::string::npos; });
  return all;
}

std::vector<std::string> characters_of(std::string_view text) {
  std::vector<std::string> out;
  for (const char32_t c : text::to_utf32(text)) text::append_utf8(out.emplace_back(), c);
  return out;
}

std::vector<Variant> partial_variants(const std::vector<std::string>& pieces, std::size_t most) {
  auto two = [](std::size_t number) { return (number < 10 ? "0" : "") + std::to_string(number); };
  std::vector<Variant> out;
  const std::size_t size = pieces.size(), wanted = size > 0 ? std::min(most, size - 1) : 0;
  std::string text;
  for (std::size_t length = 1; length < size; ++length) {
    text += pieces[length - 1];
    // The lengths are rounded points of an even spacing that ends one piece short of the whole.
    const bool chosen = length * wanted / (size - 1) > (length - 1) * wanted / (size - 1);
    if (chosen && !trim(text).empty()) out.push_back({cat("partial_", two(length), "_of_", two(size)), text});
  }
  return out;
}

}  // namespace reveille::eval
