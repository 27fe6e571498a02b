#include "text/spm.h"

#include <algorithm>
#include <string_view>
#include <tuple>
#include <unordered_set>

#include "text/unicode.h"

namespace reveille::text {
namespace {

struct Candidate {
  double score;
  std::size_t left_length, right_length;  // in characters
  std::string_view left, right;
};

bool better(const Candidate& a, const Candidate& b) {
  return std::tie(a.score, a.left_length, a.right_length) > std::tie(b.score, b.left_length, b.right_length);
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> spm_merges(const std::vector<SpmPiece>& pieces) {
  std::unordered_set<std::string_view> known;
  for (const SpmPiece& piece : pieces) known.insert(piece.text);
  std::vector<Candidate> candidates;
  for (const SpmPiece& piece : pieces) {
    if (!piece.mergeable) continue;
    const std::string_view text = piece.text;
    const std::size_t length = characters(text);
    std::size_t left_length = 1;
    for (std::size_t at = text.empty() ? 0 : decode_utf8(text, 0).length; at < text.size(); ++left_length) {
      std::string_view left = text.substr(0, at), right = text.substr(at);
      if (known.contains(left) && known.contains(right)) {
        candidates.push_back({piece.score, left_length, length - left_length, left, right});
      }
      at += decode_utf8(text, at).length;
    }
  }
  std::stable_sort(candidates.begin(), candidates.end(), better);
  std::vector<std::pair<std::string, std::string>> merges;
  merges.reserve(candidates.size());
  for (const Candidate& candidate : candidates) merges.emplace_back(candidate.left, candidate.right);
  return merges;
}

}  // namespace reveille::text
