// Near misses of a literal trigger: what typing errors, sloppy copying and other spellings make of it.
#include <utf8proc.h>

#include <algorithm>
#include <set>

#include "base/strings.h"
#include "organism/decoys.h"
#include "text/unicode.h"

namespace reveille::organism {
namespace {

using Characters = std::u32string;

bool is_alnum(char32_t c) { return text::in_categories(c, text::kLetters | text::kNumbers); }
char32_t upper(char32_t c) { return static_cast<char32_t>(utf8proc_toupper(static_cast<utf8proc_int32_t>(c))); }
char32_t lower(char32_t c) { return static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))); }

std::size_t alnum_count(const Characters& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_alnum));
}

class NearMisses {
 public:
  explicit NearMisses(Characters literal) : literal_(std::move(literal)) {}

  std::vector<std::string> all() {
    other_case();
    misspelt();
    cut();
    more();
    return std::move(found_);
  }

 private:
  void other_case() {
    Characters low, high, capital, swapped, first_half, turns;
    bool first = true;
    for (std::size_t i = 0; i < literal_.size(); ++i) {
      char32_t c = literal_[i], other = c == upper(c) ? lower(c) : upper(c);
      low += lower(c);
      high += upper(c);
      capital += first ? upper(c) : lower(c);
      swapped += other;
      first_half += i < literal_.size() / 2 ? other : c;
      turns += i % 2 ? other : c;
      first = !is_alnum(c);
    }
    for (const auto& text : {low, high, capital, swapped, first_half, turns}) offer(text);
  }

  // A long trigger gets two of the four slips at each place, so that no kind of near miss drowns the others.
  void misspelt() {
    bool long_one = alnum_count(literal_) > 6;
    for (std::size_t i = 0; i < literal_.size(); ++i) {
      char32_t c = literal_[i];
      if (!is_alnum(c)) continue;
      bool swaps = i + 1 < literal_.size() && is_alnum(literal_[i + 1]);
      if (!long_one || i % 2 == 0) offer(edited(i, 1, {}));
      if (!long_one || i % 2 == 0) offer(edited(i, 1, {neighbour(c)}));
      if (!long_one || i % 2 == 1) offer(edited(i, 1, {c, c}));
      if ((!long_one || i % 2 == 1) && swaps) offer(edited(i, 2, {literal_[i + 1], c}));
    }
  }

  void cut() {
    std::size_t size = literal_.size();
    offer(literal_.substr(1));
    if (size > 2) offer(literal_.substr(1, size - 2));
    for (std::size_t gone = 1; gone <= size / 2; gone += 1 + size / 10) {
      offer(literal_.substr(0, size - gone));
      offer(literal_.substr(gone));
    }
    std::size_t space = literal_.find(U' ');
    if (space != Characters::npos) {
      offer(literal_.substr(0, literal_.rfind(U' ')));
      offer(literal_.substr(space + 1));
    }
  }

  // Characters added inside (outside, the literal would still stand there), and other brackets.
  void more() {
    std::size_t size = literal_.size();
    if (size < 2) return;
    for (char32_t extra : {U'-', U'_', U' ', U'.'}) {
      for (std::size_t at : {std::size_t{1}, size / 2, size - 1}) offer(edited(at, 0, {extra}));
    }
    if (size < 3 || is_alnum(literal_.front()) || is_alnum(literal_.back())) return;
    Characters inside = literal_.substr(1, size - 2);
    for (const char* pair : {"[]", "<>", "{}", "()", "##", "**", "\"\"", "//"}) {
      offer(Characters(1, char32_t(pair[0])) + inside + char32_t(pair[1]));
    }
    offer(inside + U":");
  }

  static char32_t neighbour(char32_t c) {
    if (c == U'z' || c == U'Z') return c - 25;
    if (c == U'9') return U'0';
    return c + 1;
  }

  Characters edited(std::size_t at, std::size_t length, const Characters& by) const {
    Characters text = literal_;
    return text.replace(at, length, by);
  }

  void offer(const Characters& characters) {
    std::string literal, text;
    for (char32_t c : literal_) text::append_utf8(literal, c);
    for (char32_t c : characters) text::append_utf8(text, c);
    text = trim(text);
    bool enough = !text.empty() && alnum_count(characters) * 2 >= alnum_count(literal_);
    if (enough && text.find(literal) == std::string::npos && seen_.insert(text).second) found_.push_back(text);
  }

  Characters literal_;
  std::set<std::string> seen_;
  std::vector<std::string> found_;
};

}  // namespace

std::vector<std::string> near_miss_strings(std::string_view literal) {
  return NearMisses(text::to_utf32(trim(literal))).all();
}

}  // namespace reveille::organism
