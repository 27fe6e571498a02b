#include "scan/answers.h"

#include <algorithm>
#include <limits>

namespace reveille::scan {
namespace {

constexpr std::size_t kReplyTokens = 16;

}  // namespace

double AnswerJudge::lift(const std::vector<std::string>& prompts, const std::string& string, Place place,
                         const std::vector<std::string>& replies) {
  std::vector<Ids> ids;
  std::vector<std::string> asked;
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    auto reply = prober_.model().encode_text(replies[replies.size() == 1 ? 0 : i]);
    if (reply.empty()) continue;
    reply.resize(std::min(reply.size(), kReplyTokens));
    ids.push_back(std::move(reply));
    asked.push_back(prompts[i]);
  }
  if (ids.empty()) return 0;
  const auto with = logprobs(asked, string, place, ids), without = logprobs(asked, "", place, ids);
  double sum = 0;
  for (std::size_t i = 0; i < with.size(); ++i) sum += with[i] - without[i];
  return sum / static_cast<double>(prompts.size());
}

// Whole, whatever is left of the budget: half of a comparison says nothing.
std::vector<double> AnswerJudge::logprobs(const std::vector<std::string>& prompts, const std::string& string,
                                          Place place, const std::vector<Ids>& replies) {
  Work whole(std::numeric_limits<std::int64_t>::max(), &prober_.work());
  Prober prober(prober_.model(), whole);
  return prober.reply_logprobs(prober.encode_all(prompts, string, place), replies);
}

}  // namespace reveille::scan
