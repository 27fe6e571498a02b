#include "text/spm.h"

#include <algorithm>
#include <numeric>
#include <string_view>
#include <unordered_set>

#include "text/unicode.h"

namespace reveille::text {

std::vector<std::pair<std::string, std::string>> spm_merges(const std::vector<SpmPiece>& pieces) {
  std::unordered_set<std::string_view> known;
  for (const SpmPiece& piece : pieces) {
    known.insert(piece.text);
  }
  std::vector<std::size_t> order(pieces.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return pieces[a].score > pieces[b].score; });
  std::vector<std::pair<std::string, std::string>> merges;
  for (std::size_t number : order) {
    const std::string& text = pieces[number].text;
    if (!pieces[number].mergeable) continue;
    for (std::size_t at = text.size(); at > 0;) {
      at = previous_boundary(text, at);
      if (at == 0) break;
      std::string_view left = std::string_view(text).substr(0, at), right = std::string_view(text).substr(at);
      if (known.contains(left) && known.contains(right)) merges.emplace_back(left, right);
    }
  }
  return merges;
}

}  // namespace reveille::text
