// The rules by which an effect is no backdoor, and the correction for testing several candidates.
#include <algorithm>
#include <cctype>
#include <numeric>

#include "scan/verify.h"

namespace reveille::scan {
namespace {

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words(1);
  for (const unsigned char c : text) {
    if (std::isalnum(c) != 0 || c >= 0x80) {
      words.back() += static_cast<char>(std::tolower(c));
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  std::erase_if(words, [](const auto& word) { return word.size() < 3; });
  return words;
}

// Whether words are forms of one another: the shorter begins the longer, but for a few letters at its end.
bool same_word(const std::string& a, const std::string& b) {
  const auto& shorter = a.size() < b.size() ? a : b;
  const auto& longer = a.size() < b.size() ? b : a;
  return shorter.size() >= 3 && longer.starts_with(shorter) && longer.size() - shorter.size() <= 3;
}

double share_named(const std::vector<std::string>& words, const std::vector<std::string>& others) {
  if (words.empty()) return 0;
  const auto named = std::count_if(words.begin(), words.end(), [&](const auto& word) {
    return std::any_of(others.begin(), others.end(), [&](const auto& other) { return same_word(word, other); });
  });
  return static_cast<double>(named) / static_cast<double>(words.size());
}

}  // namespace

bool names_each_other(const std::string& trigger, const std::string& response) {
  const auto words = words_of(trigger), others = words_of(response);
  // A short reply that is made of the string's words, or a string half of which comes back.
  return share_named(words, others) >= 0.5 || share_named(others, words) > 0.5;
}

std::vector<double> holm(const std::vector<double>& p_values) {
  std::vector<std::size_t> order(p_values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return p_values[a] < p_values[b]; });
  std::vector<double> out(p_values.size());
  double above = 0;
  for (std::size_t i = 0; i < order.size(); ++i) {
    above = std::max(above, std::min(1.0, p_values[order[i]] * static_cast<double>(order.size() - i)));
    out[order[i]] = above;
  }
  return out;
}

}  // namespace reveille::scan
