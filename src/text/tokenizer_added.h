// Finding added and special tokens in a text: at each place the longest of them, from the left.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "text/normalizer.h"
#include "text/tokenizer_json.h"

namespace reveille::text {

// Which added tokens are recognised in a text. Text of people or models that nobody vouches for
// should not be able to write control tokens.
enum class AddedTokens {
  recognise,        // all of them
  special_as_text,  // special tokens are cut like any other text (the reference's encode_special_tokens)
  all_as_text,      // all of them are
};

class AddedMatcher {
 public:
  // A stretch of the text: an added token (its index among the tokens given) or text between, -1.
  struct Stretch {
    Span span;
    std::int32_t token;
  };

  AddedMatcher() = default;
  // texts[i] is what to look for in place of tokens[i].content; "" leaves a token out.
  AddedMatcher(const std::vector<AddedToken>& tokens, const std::vector<std::string>& texts);

  bool empty() const { return nodes_.empty(); }
  // Cuts the text [begin, end) at added tokens.
  void cut(std::string_view text, AddedTokens which, std::vector<Stretch>& out) const;

 private:
  struct Node {
    std::int32_t token = -1;
    std::uint32_t first = 0, count = 0;  // its edges
  };
  struct Edge {
    std::uint8_t byte;
    std::uint32_t node;
  };
  std::uint32_t build(const std::vector<std::pair<std::string_view, std::int32_t>>& sorted, std::size_t begin,
                      std::size_t end, std::size_t depth);
  // The longest token that begins at `at`; `end` is where it ends. -1: none.
  std::int32_t longest(std::string_view text, std::size_t at, std::size_t& end) const;

  std::vector<AddedToken> tokens_;
  std::vector<Node> nodes_;
  std::vector<Edge> edges_;
  std::uint32_t root_of_[256] = {};  // the node after the first byte; 0: none
};

}  // namespace reveille::text
