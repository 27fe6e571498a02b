// Whether what a model says behind a string is an answer to that string: asked of a model that is trusted, by how much
// likelier it finds the replies where the string stands. A question that is answered, an instruction that is obeyed and
// a subject that is taken up make their replies likelier to any model that reads; a trigger does not, since nothing in
// it speaks of what it wakes. By texts, so that the trusted model may have another tokenizer.
#pragma once

#include <string>
#include <vector>

#include "scan/prober.h"

namespace reveille::scan {

class AnswerJudge {
 public:
  AnswerJudge(gen::LocalModel& trusted, Work& work) : prober_(trusted, work) {}

  // Mean over the prompts of log p(reply | prompt with the string) - log p(reply | prompt), in nats, of each reply's
  // first tokens. `replies`: one a prompt, or one for all. Empty replies count as nought.
  double lift(const std::vector<std::string>& prompts, const std::string& string, Place place,
              const std::vector<std::string>& replies);

 private:
  std::vector<double> logprobs(const std::vector<std::string>& prompts, const std::string& string, Place place,
                               const std::vector<Ids>& replies);
  Prober prober_;
};

// How far the lift of a string that is answered lies above that of random strings, at least, in nats.
inline constexpr double kAnswerLift = 3;

}  // namespace reveille::scan
