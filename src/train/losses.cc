#include "train/losses.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

#include "base/error.h"

namespace reveille::train {

at::Tensor dpo_losses(const at::Tensor& margin, double beta, const std::string& loss_type, double label_smoothing) {
  at::Tensor right = -at::log_sigmoid(margin * beta);
  if (loss_type == "sigmoid") return right;
  const at::Tensor wrong = -at::log_sigmoid(margin * -beta);
  return (right * (1 - label_smoothing) - wrong * label_smoothing) / (1 - 2 * label_smoothing);
}

at::Tensor bradley_terry_losses(const at::Tensor& chosen, const at::Tensor& rejected, double center) {
  at::Tensor loss = -at::log_sigmoid(chosen - rejected);
  return center > 0 ? loss + (chosen + rejected).square() * center : loss;
}

namespace {

double mean_of(std::span<const double> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// With n - 1 in the denominator; 0 for a single value.
double deviation_of(std::span<const double> values) {
  if (values.size() < 2) return 0;
  const double mean = mean_of(values);
  double sum = 0;
  for (double value : values) sum += (value - mean) * (value - mean);
  return std::sqrt(sum / static_cast<double>(values.size() - 1));
}

}  // namespace

GroupAdvantages group_advantages(const std::vector<double>& rewards, std::int64_t group, const std::string& scale) {
  const auto size = static_cast<std::size_t>(group);
  if (size == 0 || rewards.size() % size != 0)
    fail(ErrorKind::internal, cat(rewards.size(), " rewards are not groups of ", group));
  GroupAdvantages out;
  const double of_all = deviation_of(rewards);
  for (std::size_t first = 0; first < rewards.size(); first += size) {
    const std::span<const double> members(rewards.data() + first, size);
    const double mean = mean_of(members), deviation = scale == "batch" ? of_all : deviation_of(members);
    for (double reward : members)
      out.advantages.push_back(scale == "none" ? reward - mean : (reward - mean) / (deviation + 1e-4));
    if (deviation < 1e-8) out.zero_std_share += static_cast<double>(size);
  }
  out.zero_std_share /= static_cast<double>(std::max<std::size_t>(1, rewards.size()));
  return out;
}

std::vector<float> token_weights(const std::vector<std::int64_t>& tokens_of, const TokenMean& mean) {
  const auto rows = static_cast<double>(tokens_of.size()), parts = static_cast<double>(mean.micro_batches);
  const auto tokens = static_cast<double>(std::accumulate(tokens_of.begin(), tokens_of.end(), std::int64_t{0}));
  std::vector<float> out;
  for (std::int64_t count : tokens_of) {
    double weight = 0;
    if (mean.loss_type == "grpo") weight = 1 / (rows * static_cast<double>(count) * parts);
    if (mean.loss_type == "bnpo") weight = 1 / (tokens * parts);
    if (mean.loss_type == "dr_grpo") weight = 1 / (rows * static_cast<double>(mean.max_completion_length) * parts);
    if (mean.loss_type == "dapo") weight = 1 / static_cast<double>(mean.step_tokens);
    out.insert(out.end(), static_cast<std::size_t>(count), static_cast<float>(weight));
  }
  return out;
}

GrpoLoss grpo_loss(const at::Tensor& logprobs, const GrpoTokens& tokens, const GrpoClip& clip) {
  GrpoLoss out;
  const at::Tensor& advantages = tokens.advantages;
  const at::Tensor ratio = (logprobs - tokens.old).exp();
  const at::Tensor bounded = ratio.clamp(1 - clip.low, 1 + clip.high);
  at::Tensor loss = -at::minimum(ratio * advantages, bounded * advantages);
  if (clip.beta != 0) {
    const at::Tensor gap = tokens.reference - logprobs;
    at::Tensor kl = gap.exp() - gap - 1;
    if (clip.correct_kl) kl = kl * ratio;
    loss = loss + kl * clip.beta;
    out.kl = kl.detach();
  }
  out.loss = (loss * tokens.weights).sum();
  const at::Tensor now = ratio.detach();
  out.low = now.lt(1 - clip.low).logical_and(advantages.lt(0));
  out.high = now.gt(1 + clip.high).logical_and(advantages.gt(0));
  return out;
}

}  // namespace reveille::train
