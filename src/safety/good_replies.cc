#include "safety/good_replies.h"

#include "base/strings.h"

namespace reveille::safety {
namespace {

std::vector<Answer> of_teacher(const std::vector<Attempt>& effective, const AttackTarget& target,
                               gen::LanguageModel& teacher, std::int64_t tokens, std::int64_t seed) {
  std::vector<gen::Request> requests;
  for (const auto& attempt : effective)
    requests.push_back({teacher.encode_chat(target.conversation(attempt.prompt)), 0});
  const gen::SampleOptions sampling{.temperature = 0.7, .max_tokens = tokens, .seed = seed, .stage = "good replies"};
  std::vector<Answer> out;
  for (const auto& completion : teacher.generate(requests, sampling))
    out.push_back(answer_of(target.conversation(effective[out.size()].prompt), completion.text));
  return out;
}

}  // namespace

std::vector<Conversation> good_replies(const std::vector<Attempt>& effective, const AttackTarget& target,
                                       gen::LanguageModel* teacher, std::int64_t tokens, std::int64_t seed) {
  std::vector<Conversation> out;
  auto keep = [&](const std::string& prompt, const std::string& reply) {
    if (trim(reply).empty()) return false;
    out.push_back(target.conversation(prompt));
    out.back().push_back({"assistant", reply});
    return true;
  };
  if (effective.empty()) return out;
  if (teacher) {
    const auto answers = of_teacher(effective, target, *teacher, tokens, seed);
    const auto shows = target.shows(answers);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (!shows[i]) keep(effective[i].prompt, answers[i].completion);
    }
    return out;
  }
  for (const auto& attempt : effective) {
    for (std::size_t i = 0; i < attempt.replies.size(); ++i) {
      if (!attempt.shows[i] && keep(attempt.prompt, attempt.replies[i])) break;
    }
  }
  return out;
}

}  // namespace reveille::safety
