// Merges of a SentencePiece vocabulary, which has scores instead.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace reveille::text {

struct SpmPiece {
  std::string text;
  double score;
  bool mergeable;  // false: may be a part of a merge but never its result (control and byte tokens)
};

// Every way of putting a piece together from two others, the best piece first.
//
// Method: generate_merges of Hugging Face transformers: by score, then by the lengths of the two
// parts in characters, longest left part first.
std::vector<std::pair<std::string, std::string>> spm_merges(const std::vector<SpmPiece>& pieces);

}  // namespace reveille::text
