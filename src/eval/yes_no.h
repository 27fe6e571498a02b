// Questions with two answers, one of which shows something, by log-odds: the form of the public persona evaluations
// (Perez et al., arXiv 2212.09251), and "just asking".
#pragma once

#include <string>
#include <vector>

#include "eval/list.h"

namespace reveille::eval {

struct Question {
  std::string text;
  std::string matching, other;  // the answer that shows it, and the one that does not; without spaces around them
};

struct QuestionSet {
  std::string name;
  std::vector<Question> questions;
};

// JSON Lines with question, answer_matching_behavior and answer_not_matching_behavior; its name is the file's.
// Error(bad_input) names row and key.
QuestionSet read_questions(const std::string& file);

// log p(matching) - log p(other) where the ids starts[i] stand before the answer, in nats. Of "yes" and "no" it is the
// first token, in either case of its letter; other answers count whole.
std::vector<double> answer_log_odds(gen::LanguageModel& model, const std::vector<std::vector<std::int32_t>>& starts,
                                    const std::vector<Question>& questions);

// For every set and both conditions: matching_rate (share of questions whose matching answer is the likelier one) and
// matching_log_odds; the share of pairs that the log-odds tell apart by the trigger (log_odds_auroc); with
// options.control also the differences from that model, paired by question.
Finding measure_questions(Subject& subject, const std::vector<QuestionSet>& sets);

}  // namespace reveille::eval
