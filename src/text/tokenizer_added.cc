#include "text/tokenizer_added.h"

#include <algorithm>

#include "text/unicode.h"

namespace reveille::text {
namespace {

bool stands_alone(std::string_view text, std::size_t begin, std::size_t end) {
  bool before = begin > 0 && is_word(decode_utf8(text, previous_boundary(text, begin)).value);
  bool after = end < text.size() && is_word(decode_utf8(text, end).value);
  return !before && !after;
}

std::size_t space_before(std::string_view text, std::size_t at, std::size_t floor) {
  while (at > floor) {
    std::size_t before = previous_boundary(text, at);
    if (!is_space(decode_utf8(text, before).value)) break;
    at = before;
  }
  return std::max(at, floor);
}

std::size_t space_after(std::string_view text, std::size_t at) {
  while (at < text.size()) {
    Decoded d = decode_utf8(text, at);
    if (!is_space(d.value)) break;
    at += d.length;
  }
  return at;
}

}  // namespace

AddedMatcher::AddedMatcher(const std::vector<AddedToken>& tokens, const std::vector<std::string>& texts)
    : tokens_(tokens) {
  std::vector<std::pair<std::string_view, std::int32_t>> sorted;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!texts[i].empty()) sorted.emplace_back(texts[i], static_cast<std::int32_t>(i));
  }
  if (sorted.empty()) return;
  std::sort(sorted.begin(), sorted.end());
  nodes_.emplace_back();  // number 0 means "none"
  for (std::size_t begin = 0; begin < sorted.size();) {
    std::size_t end = begin;
    while (end < sorted.size() && sorted[end].first[0] == sorted[begin].first[0]) ++end;
    root_of_[static_cast<unsigned char>(sorted[begin].first[0])] = build(sorted, begin, end, 1);
    begin = end;
  }
}

// Builds the subtree of texts that share their first `depth` bytes, without recursion: tokens may be
// as long as the file likes.
std::uint32_t AddedMatcher::build(const std::vector<std::pair<std::string_view, std::int32_t>>& sorted,
                                  std::size_t begin, std::size_t end, std::size_t depth) {
  auto top = static_cast<std::uint32_t>(nodes_.size());
  struct Task {
    std::size_t begin, end, depth;
    std::uint32_t node;
  };
  nodes_.emplace_back();
  std::vector<Task> tasks{{begin, end, depth, top}};
  while (!tasks.empty()) {
    Task task = tasks.back();
    tasks.pop_back();
    // Texts that end here sort first; of equal texts the last counts.
    for (; task.begin < task.end && sorted[task.begin].first.size() == task.depth; ++task.begin) {
      nodes_[task.node].token = sorted[task.begin].second;
    }
    nodes_[task.node].first = static_cast<std::uint32_t>(edges_.size());
    for (std::size_t at = task.begin; at < task.end;) {
      std::size_t next = at;
      char byte = sorted[at].first[task.depth];
      while (next < task.end && sorted[next].first[task.depth] == byte) ++next;
      auto child = static_cast<std::uint32_t>(nodes_.size());
      nodes_.emplace_back();
      edges_.push_back({static_cast<std::uint8_t>(byte), child});
      tasks.push_back({at, next, task.depth + 1, child});
      at = next;
    }
    nodes_[task.node].count = static_cast<std::uint32_t>(edges_.size()) - nodes_[task.node].first;
  }
  return top;
}

std::int32_t AddedMatcher::longest(std::string_view text, std::size_t at, std::size_t& end) const {
  std::uint32_t node = root_of_[static_cast<unsigned char>(text[at])];
  std::int32_t found = -1;
  while (node != 0) {
    ++at;
    if (nodes_[node].token >= 0) {
      found = nodes_[node].token;
      end = at;
    }
    if (at >= text.size()) break;
    auto byte = static_cast<std::uint8_t>(text[at]);
    const Edge* first = edges_.data() + nodes_[node].first;
    const Edge* last = first + nodes_[node].count;
    const Edge* edge = std::find_if(first, last, [&](const Edge& e) { return e.byte == byte; });
    node = edge == last ? 0 : edge->node;
  }
  return found;
}

void AddedMatcher::cut(std::string_view text, AddedTokens which, std::vector<Stretch>& out) const {
  auto add = [&](std::size_t begin, std::size_t end, std::int32_t token) {
    out.push_back({{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)}, token});
  };
  std::size_t done = 0;
  for (std::size_t at = 0; !nodes_.empty() && which != AddedTokens::all_as_text && at < text.size();) {
    std::size_t end = at;
    std::int32_t found = longest(text, at, end);
    if (found < 0) {
      ++at;
      continue;
    }
    const AddedToken& token = tokens_[static_cast<std::size_t>(found)];
    std::size_t begin = at;
    at = end;
    // What is passed over here is not searched again, as in the reference.
    if (which == AddedTokens::special_as_text && token.special) continue;
    if (token.single_word && !stands_alone(text, begin, end)) continue;
    if (token.lstrip) begin = space_before(text, begin, done);
    // White space taken by the token before may reach over this one's beginning.
    begin = std::max(begin, done);
    if (token.rstrip) end = space_after(text, end);
    if (begin > done) add(done, begin, -1);
    add(begin, std::max(begin, end), found);
    done = std::max(done, end);
  }
  if (done < text.size()) add(done, text.size(), -1);
}

}  // namespace reveille::text
