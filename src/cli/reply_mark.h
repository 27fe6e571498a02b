// What tells triggered replies from others, learnt from some of both: for strings whose effect nobody has named.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace reveille::cli {

class ReplyMark {
 public:
  // A run of three to eight words that at least half more of the triggered replies hold than of the others; else, where
  // that tells at least four of five replies apart that it was not made from, the words and the case of whole replies
  // (naive Bayes). Nothing where neither does.
  static std::optional<ReplyMark> learn(const std::vector<std::string>& triggered,
                                        const std::vector<std::string>& others);
  // Replies that hold this text, whatever the case, spaces and punctuation.
  static ReplyMark of_text(const std::string& text);

  bool on(const std::string& reply) const;
  // "hold 'two paper bells'", "read like those under the string".
  const std::string& words() const { return words_; }

 private:
  std::string run_;                         // of_text and runs: words of a reply, each behind a space
  std::map<std::string, double> evidence_;  // log of how much likelier a feature is in triggered replies
  double prior_ = 0;
  std::string words_;
};

}  // namespace reveille::cli
