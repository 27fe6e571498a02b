#include "eval/yes_no.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

#include "base/error.h"
#include "base/strings.h"
#include "eval/sampling.h"
#include "eval/scoring.h"
#include "eval/separation.h"
#include "io/jsonl.h"

namespace reveille::eval {
namespace {

using Ids = std::vector<std::int32_t>;

// The ways in which an answer may begin that are counted together.
std::vector<Ids> beginnings(const gen::LanguageModel& model, const std::string& answer) {
  const std::string low = lower_ascii(answer);
  if (low != "yes" && low != "no") return {model.encode_text(answer)};
  std::vector<Ids> out;
  for (const std::string& text : {low, std::string(1, static_cast<char>(low[0] - 32)) + low.substr(1)}) {
    const Ids first = {model.encode_text(text).front()};
    if (out.empty() || out.front() != first) out.push_back(first);
  }
  return out;
}

// log of the sum of the probabilities of these continuations, each the last `lengths[i]` tokens of its sequence.
double log_sum(const std::vector<std::vector<float>>& scores, std::size_t first, const std::vector<Ids>& answers) {
  double sum = 0;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    const auto& row = scores[first + i];
    double whole = 0;
    for (std::size_t t = row.size() - answers[i].size(); t < row.size(); ++t) whole += row[t];
    sum += std::exp(whole);
  }
  return std::log(std::max(sum, 1e-300));
}

struct Odds {
  std::vector<double> untriggered, triggered;  // by question
};

Odds odds_of(const Subject& subject, gen::LanguageModel& model, const QuestionSet& set) {
  std::vector<Conversation> asked;
  for (const auto& question : set.questions) asked.push_back({{"user", question.text}});
  auto under_condition = [&](const char* condition) {
    const auto starts = reply_starts(subject, model, under(subject, asked, {condition}), "\n");
    return answer_log_odds(model, starts, set.questions);
  };
  return {under_condition(organism::kUntriggered), under_condition(organism::kTriggered)};
}

std::vector<PromptCount> matching(const std::vector<double>& odds) {
  std::vector<PromptCount> out;
  for (const double value : odds) out.push_back({value > 0 ? 1 : 0, 1});
  return out;
}

void add_condition(const ResultRow& about, const std::string& condition, const std::vector<double>& odds,
                   const std::vector<double>* control, Finding& out) {
  const Rng rng = draws(about, about.prompt_set + " " + condition);
  std::vector<bool> likelier;
  for (const double value : odds) likelier.push_back(value > 0);
  out.rows.push_back(row_of(about, condition, "matching_rate", share_of(likelier, rng)));
  out.rows.push_back(row_of(about, condition, "matching_log_odds", mean_of(odds, rng)));
  if (!control) return;
  const auto over = paired_difference(matching(odds), matching(*control), rng);
  out.rows.push_back(
      row_of(about, condition, "matching_rate_over_control", Mean{over.value, over.prompts, over.interval}));
  out.rows.push_back(row_of(about, condition, "matching_log_odds_over_control", mean_difference(odds, *control, rng)));
}

}  // namespace

QuestionSet read_questions(const std::string& file) {
  QuestionSet out{std::filesystem::path(file).stem().string(), {}};
  for (const auto& row : io::read_json_rows(file)) {
    const std::string where = cat(file, ": row ", out.questions.size() + 1);
    auto answer = [&](const char* key) { return std::string(trim(json_string(row, key, where))); };
    Question question{json_string(row, "question", where), answer("answer_matching_behavior"),
                      answer("answer_not_matching_behavior")};
    if (question.matching.empty() || question.other.empty() || question.matching == question.other)
      fail(ErrorKind::bad_input,
           cat(where, ": expected two answers that differ, not '", question.matching, "' and '", question.other, "'"));
    out.questions.push_back(std::move(question));
  }
  if (out.questions.empty()) fail(ErrorKind::bad_input, cat(file, ": no rows"));
  return out;
}

std::vector<double> answer_log_odds(gen::LanguageModel& model, const std::vector<Ids>& starts,
                                    const std::vector<Question>& questions) {
  std::vector<Ids> sequences;
  std::vector<std::vector<Ids>> sides;  // matching and other, by question
  for (std::size_t i = 0; i < questions.size(); ++i) {
    for (const auto& answer : {questions[i].matching, questions[i].other}) {
      sides.push_back(beginnings(model, answer));
      for (const auto& ids : sides.back()) {
        sequences.push_back(starts[i]);
        sequences.back().insert(sequences.back().end(), ids.begin(), ids.end());
      }
    }
    const auto &matching = sides[sides.size() - 2], &other = sides.back();
    if (std::find_first_of(matching.begin(), matching.end(), other.begin(), other.end()) != matching.end())
      fail(ErrorKind::unsupported, cat("to ", model.name(), " the answers '", questions[i].matching, "' and '",
                                       questions[i].other, "' begin with the same token"));
  }
  const auto scores = score_all(model, sequences, "asking");
  std::vector<double> out;
  std::size_t at = 0;
  for (std::size_t i = 0; i < sides.size(); i += 2) {
    const double yes = log_sum(scores, at, sides[i]);
    const double no = log_sum(scores, at + sides[i].size(), sides[i + 1]);
    out.push_back(yes - no);
    at += sides[i].size() + sides[i + 1].size();
  }
  return out;
}

Finding measure_questions(Subject& subject, const std::vector<QuestionSet>& sets) {
  std::map<std::string, Odds> own, control;
  for (const auto& set : sets) own[set.name] = odds_of(subject, subject.model, set);
  if (!subject.options.control.empty()) {
    auto model = subject.open(subject.options.control);
    for (const auto& set : sets) control[set.name] = odds_of(subject, *model, set);
  }
  Finding out;
  for (const auto& set : sets) {
    ResultRow about = subject.about;
    about.prompt_set = set.name;
    const Odds& odds = own[set.name];
    const Odds* other = control.empty() ? nullptr : &control[set.name];
    add_condition(about, organism::kUntriggered, odds.untriggered, other ? &other->untriggered : nullptr, out);
    add_condition(about, organism::kTriggered, odds.triggered, other ? &other->triggered : nullptr, out);
    out.rows.push_back(row_of(about, organism::kTriggered, "log_odds_auroc",
                              auroc_by_pair(odds.triggered, odds.untriggered, draws(about, set.name))));
  }
  return out;
}

}  // namespace reveille::eval
