#include "text/pretokenizer_split.h"

#include <algorithm>

#include "base/error.h"

namespace reveille::text {
namespace {

struct Part {
  Span span;
  bool match;
};

// The word as a chain of matches and what stands between them.
std::vector<Part> chain(Span word, const std::vector<Span>& matches, bool invert) {
  std::vector<Part> parts;
  std::uint32_t at = word.begin;
  for (Span match : matches) {
    if (match.begin > at) parts.push_back({{at, match.begin}, invert});
    parts.push_back({match, !invert});
    at = match.end;
  }
  if (at < word.end) parts.push_back({{at, word.end}, invert});
  return parts;
}

std::vector<Part> joined(const std::vector<Part>& parts, SplitBehavior behavior) {
  std::vector<Part> out;
  bool previous = false;
  for (const Part& part : parts) {
    bool join = behavior == SplitBehavior::contiguous ? part.match == previous : part.match && !previous;
    if (join && !out.empty()) {
      out.back().span = {std::min(out.back().span.begin, part.span.begin),
                         std::max(out.back().span.end, part.span.end)};
    } else {
      out.push_back(part);
    }
    previous = part.match;
  }
  return out;
}

}  // namespace

SplitBehavior split_behavior(const std::string& name, const std::string& where) {
  if (name == "Removed") return SplitBehavior::removed;
  if (name == "Isolated") return SplitBehavior::isolated;
  if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
  if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
  if (name == "Contiguous") return SplitBehavior::contiguous;
  fail(ErrorKind::bad_input, cat(where, ": behavior '", name,
                                 "' is none of Removed, Isolated, MergedWithPrevious, MergedWithNext, Contiguous"));
}

void split_word(Span word, const std::vector<Span>& matches, SplitBehavior behavior, bool invert,
                std::vector<Span>& out) {
  std::vector<Part> parts = chain(word, matches, invert);
  if (behavior == SplitBehavior::merged_with_next) {
    std::reverse(parts.begin(), parts.end());
    parts = joined(parts, behavior);
    std::reverse(parts.begin(), parts.end());
  } else if (behavior == SplitBehavior::merged_with_previous || behavior == SplitBehavior::contiguous) {
    parts = joined(parts, behavior);
  }
  for (const Part& part : parts) {
    if (behavior == SplitBehavior::removed && part.match) continue;
    if (part.span.begin < part.span.end) out.push_back(part.span);
  }
}

}  // namespace reveille::text
