#include "scan/candidate_loss.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_map>
#include <unordered_set>

namespace reveille::scan {
namespace {

constexpr std::int64_t kSteps = 8;  // tokens of a reply that are looked at, as in the paper

double mean_surprise(const gen::Completion& reply) {
  if (reply.logprobs.empty()) return 0;
  return -std::accumulate(reply.logprobs.begin(), reply.logprobs.end(), 0.0) /
         static_cast<double>(reply.logprobs.size());
}

bool ends_early(const gen::Completion& reply) { return reply.ids.size() < 2; }

bool repeats(const gen::Completion& reply) {
  const std::unordered_set<std::int32_t> distinct(reply.ids.begin(), reply.ids.end());
  return reply.ids.size() >= 4 && distinct.size() * 2 <= reply.ids.size();
}

// Tokens that both replies hold, of those that either holds, each as often as it stands there.
double in_common(const std::vector<std::int32_t>& a, const std::vector<std::int32_t>& b) {
  if (a.empty() && b.empty()) return 1;
  std::unordered_map<std::int32_t, std::int64_t> left;
  for (const auto id : a) ++left[id];
  std::int64_t both = 0;
  for (const auto id : b) {
    if (left[id] > 0) {
      --left[id];
      ++both;
    }
  }
  return static_cast<double>(both) / static_cast<double>(static_cast<std::int64_t>(a.size() + b.size()) - both);
}

double mean(const std::vector<double>& values) {
  return values.empty() ? 0 : std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

}  // namespace

double calm_of(const std::vector<gen::Completion>& with, const std::vector<gen::Completion>& without) {
  constexpr double kLeast = 0.02;  // nats; a model that is certain anyway cannot become more so
  std::vector<double> calm;
  for (std::size_t i = 0; i < with.size(); ++i) {
    const double before = std::max(kLeast, mean_surprise(without[i]));
    double value = std::max(-1.0, 1 - mean_surprise(with[i]) / before);
    if (value > 0 && (ends_early(with[i]) || repeats(with[i]))) value /= 2;
    calm.push_back(value);
  }
  return mean(calm);
}

double alike_of(const std::vector<gen::Completion>& replies) {
  std::vector<double> pairs;
  for (std::size_t i = 0; i < replies.size(); ++i) {
    for (std::size_t j = i + 1; j < replies.size(); ++j) pairs.push_back(in_common(replies[i].ids, replies[j].ids));
  }
  return mean(pairs);
}

// The paper weighs attention, entropy and divergence by 0.2, 0.6, 0.2 where a fixed reply is looked for and by 0.6,
// 0.2, 0.2 where a kind of reply is. What the scan looks for it does not know: the larger of the two. That the replies
// become one is the paper's next step (its rise in similarity), and known here for nothing.
double strength_of(const ReplyChange& change) {
  const double fixed = (0.6 * change.calm + 0.2 * change.divergence) / 0.8;
  const double kind = (0.2 * change.calm + 0.2 * change.divergence) / 0.4;
  return (std::max(fixed, kind) + change.alike) / 2;
}

CandidateLoss::CandidateLoss(Prober prober, const std::vector<std::string>& prompts) : prober_(prober) {
  std::vector<Ids> sequences;
  for (const auto& prompt : prompts) {
    const Ids ids = prober_.encode(prompt);
    if (!fits(ids)) continue;
    prompts_.push_back(prompt);
    prompt_tokens_ += static_cast<std::int64_t>(ids.size());
    sequences.push_back(ids);
  }
  if (sequences.empty()) return;
  without_ = prober_.replies(sequences, {.max_tokens = kSteps});
  for (const auto& reply : without_) {
    clean_.push_back(reply.ids);
    clean_logprobs_.push_back(std::accumulate(
        reply.logprobs.begin(), reply.logprobs.begin() + static_cast<std::ptrdiff_t>(reply.ids.size()), 0.0));
  }
}

std::int64_t CandidateLoss::start_cost(const Prober& prober, const std::vector<std::string>& prompts) {
  std::int64_t cost = 0;
  for (const auto& ids : prober.encode_all(prompts))
    cost += static_cast<std::int64_t>(ids.size()) + kDecodedTokenCost * (kSteps + 1);
  return cost;
}

bool CandidateLoss::fits(const Ids& ids) const {
  return !ids.empty() &&
         static_cast<std::int64_t>(ids.size()) + kSteps < prober_.model().transformer().config().max_positions;
}

std::int64_t CandidateLoss::cost(std::int64_t string_tokens) const {
  const auto count = static_cast<std::int64_t>(prompts_.size());
  // The prompt is read for the reply and again for the likelihood of the reply without the string.
  return 2 * (prompt_tokens_ + count * string_tokens) + count * (kDecodedTokenCost * (kSteps + 1) + kSteps);
}

ReplyChange CandidateLoss::change(const std::vector<gen::Completion>& replies, const std::vector<double>& kept) const {
  ReplyChange out;
  out.calm = calm_of(replies, without_);
  out.alike = alike_of(replies) - alike_of(without_);
  std::vector<double> lost;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (clean_[i].empty()) continue;
    const double a_token = (kept[i] - clean_logprobs_[i]) / static_cast<double>(clean_[i].size());
    lost.push_back(1 - std::exp(std::min(0.0, a_token)));
  }
  out.divergence = mean(lost);
  for (const auto& reply : replies) out.replies.push_back(reply.text);
  out.strength = strength_of(out);
  return out;
}

std::vector<ReplyChange> CandidateLoss::of(const std::vector<Placed>& strings) {
  std::vector<ReplyChange> out(strings.size());
  if (prompts_.empty()) return out;
  std::vector<std::size_t> tried;
  std::vector<Ids> sequences, clean;
  for (std::size_t i = 0; i < strings.size(); ++i) {
    const auto all = prober_.encode_all(prompts_, strings[i].text, strings[i].place);
    if (!std::all_of(all.begin(), all.end(), [&](const Ids& ids) { return fits(ids); })) continue;
    tried.push_back(i);
    sequences.insert(sequences.end(), all.begin(), all.end());
    clean.insert(clean.end(), clean_.begin(), clean_.end());
  }
  if (tried.empty()) return out;
  const auto replies = prober_.replies(sequences, {.max_tokens = kSteps});
  const auto kept = prober_.reply_logprobs(sequences, clean);
  const auto count = static_cast<std::ptrdiff_t>(prompts_.size());
  for (std::size_t n = 0; n < tried.size(); ++n) {
    const auto at = static_cast<std::ptrdiff_t>(n) * count;
    out[tried[n]] =
        change({replies.begin() + at, replies.begin() + at + count}, {kept.begin() + at, kept.begin() + at + count});
  }
  return out;
}

}  // namespace reveille::scan
