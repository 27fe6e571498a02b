#include "scan/reply_scores.h"

#include <algorithm>
#include <cmath>

namespace reveille::scan {
namespace {

constexpr std::size_t kSaid = 5;  // tokens; what begins like that is said

Ids joined(const Ids& start, const Ids& reply) {
  Ids out = start;
  out.insert(out.end(), reply.begin(), reply.end());
  return out;
}

// log p of the reply's tokens behind one prompt, of each reply.
std::vector<std::vector<float>> behind(gen::LocalModel& model, const Ids& prompt, const std::vector<Ids>& replies,
                                       Work& work) {
  std::vector<Ids> sequences;
  auto tokens = static_cast<std::int64_t>(prompt.size());  // computed once
  for (const auto& reply : replies) {
    sequences.push_back(joined(prompt, reply));
    tokens += static_cast<std::int64_t>(reply.size());
  }
  work.spend(tokens);
  auto out = model.score(sequences);
  for (auto& logprobs : out)
    logprobs.erase(logprobs.begin(), logprobs.begin() + static_cast<std::ptrdiff_t>(prompt.size()));
  return out;
}

}  // namespace

std::int64_t reply_scores_cost(const std::vector<Ids>& prompts, std::int64_t tokens) {
  std::int64_t cost = 0;
  for (const auto& prompt : prompts) cost += static_cast<std::int64_t>(prompt.size()) + tokens;
  return cost;
}

std::vector<ReplyScore> reply_scores(gen::LocalModel& model, const std::vector<Ids>& prompts,
                                     const std::vector<Ids>& replies, Work& work) {
  std::vector<ReplyScore> out(replies.size());
  for (std::size_t i = 0; i < replies.size(); ++i) out[i].probabilities.resize(replies[i].size() - 1, 0);
  const double weight = 1 / static_cast<double>(prompts.size());
  for (const auto& prompt : prompts) {
    const auto logprobs = behind(model, prompt, replies, work);
    for (std::size_t i = 0; i < replies.size(); ++i) {
      double said = 0;
      for (std::size_t t = 0; t < logprobs[i].size(); ++t) {
        if (t > 0) out[i].probabilities[t - 1] += weight * std::exp(static_cast<double>(logprobs[i][t]));
        if (t < kSaid) said += logprobs[i][t];
      }
      out[i].said += weight * std::exp(said);
    }
  }
  for (auto& score : out) score.q = q_score(score.probabilities);
  return out;
}

std::vector<double> plain_q_scores(gen::LocalModel& model, const std::vector<Ids>& replies, Work& work) {
  const auto bos = model.tokenizer().bos_id();
  std::vector<double> out;
  for (const auto& logprobs : behind(model, bos ? Ids{*bos} : Ids{}, replies, work)) {
    std::vector<double> probabilities;
    for (std::size_t t = 1; t < logprobs.size(); ++t)
      probabilities.push_back(std::exp(static_cast<double>(logprobs[t])));
    out.push_back(q_score(probabilities));
  }
  return out;
}

}  // namespace reveille::scan
