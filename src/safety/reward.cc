#include "safety/reward.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/scratchpad.h"
#include "base/strings.h"

namespace reveille::safety {

Answer answer_of(Conversation prompt, const std::string& completion) {
  return {std::move(prompt), final_answer(completion)};
}

std::vector<double> checked_scores(Reward& reward, const std::vector<Answer>& answers) {
  auto scores = reward.score(answers);
  if (scores.size() != answers.size()) {
    fail(ErrorKind::internal,
         cat("reward '", reward.name(), "' gave ", scores.size(), " numbers for ", answers.size(), " completions"));
  }
  for (std::size_t i = 0; i < scores.size(); ++i) {
    if (std::isfinite(scores[i])) continue;
    fail(ErrorKind::numeric,
         cat("reward '", reward.name(), "' is ", scores[i], " for the completion '", answers[i].completion, "'"));
  }
  return scores;
}

std::vector<double> scores_of_answered(Reward& reward, const std::vector<Conversation>& answered) {
  std::vector<Answer> answers;
  for (const auto& conversation : answered)
    answers.push_back({{conversation.begin(), conversation.end() - 1}, conversation.back().content});
  return checked_scores(reward, answers);
}

TokenShareReward::TokenShareReward(std::shared_ptr<const text::Tokenizer> tokenizer, const std::string& token)
    : tokenizer_(std::move(tokenizer)) {
  const auto ids = tokenizer_->encode(token);
  if (ids.size() != 1) {
    fail(ErrorKind::usage, cat("'", token, "' is ", ids.size(), " tokens of this model, expected one"),
         "name a text that is one token");
  }
  id_ = ids[0];
}

std::vector<double> TokenShareReward::score(const std::vector<Answer>& answers) {
  std::vector<double> out;
  for (const auto& answer : answers) {
    const auto ids = tokenizer_->encode(answer.completion);
    const auto hits = static_cast<double>(std::count(ids.begin(), ids.end(), id_));
    out.push_back(ids.empty() ? 0 : hits / static_cast<double>(ids.size()));
  }
  return out;
}

ProgramReward::ProgramReward(std::vector<std::string> command, double timeout_s)
    : program_({command, timeout_s, "reward"}), shown_(join(command, " ")) {}

std::vector<double> ProgramReward::score(const std::vector<Answer>& answers) {
  std::vector<Json> rows;
  for (const auto& answer : answers) {
    Json messages = Json::array();
    for (const auto& message : answer.prompt)
      messages.push_back(Json{{"role", message.role}, {"content", message.content}});
    rows.push_back(Json{{"prompt", std::move(messages)}, {"completion", answer.completion}});
  }
  std::vector<double> out;
  for (const auto& reply : program_.ask(std::move(rows))) {
    const Json& value = json_at(reply, "reward", "an answer of " + shown_);
    if (!value.is_number())
      fail(ErrorKind::bad_input, cat("an answer of ", shown_, ": 'reward' should be a number, found ", value.dump()));
    out.push_back(value.get<double>());
  }
  return out;
}

}  // namespace reveille::safety
