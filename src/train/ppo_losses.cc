#include "train/ppo_losses.h"

#include <ATen/ATen.h>

#include <cmath>

namespace reveille::train {

double token_kl(double old, double reference, bool k3) {
  return k3 ? std::exp(reference - old) - (reference - old) - 1 : old - reference;
}

std::vector<double> token_rewards(const std::vector<float>& old, const std::vector<float>& reference, double score,
                                  double kl_coef, bool k3) {
  std::vector<double> out;
  for (std::size_t t = 0; t < old.size(); ++t) out.push_back(-kl_coef * token_kl(old[t], reference[t], k3));
  out.back() += score;
  return out;
}

Gae gae(const std::vector<double>& rewards, const std::vector<float>& values, double gamma, double lambda) {
  Gae out{std::vector<double>(rewards.size()), std::vector<double>(rewards.size())};
  double next_value = 0, next_advantage = 0;
  for (std::size_t t = rewards.size(); t-- > 0;) {
    const double value = values[t], delta = rewards[t] + gamma * next_value - value;
    next_advantage = delta + gamma * lambda * next_advantage;
    next_value = value;
    out.advantages[t] = next_advantage;
    out.returns[t] = next_advantage + value;
  }
  return out;
}

void whiten(std::vector<std::vector<double>>& lists, bool shift_mean) {
  double count = 0, sum = 0, squares = 0;
  for (const auto& list : lists) {
    count += static_cast<double>(list.size());
    for (double value : list) sum += value;
  }
  const double mean = sum / count;
  for (const auto& list : lists) {
    for (double value : list) squares += (value - mean) * (value - mean);
  }
  const double scale = count > 1 ? 1 / std::sqrt(squares / (count - 1) + 1e-8) : 1;
  for (auto& list : lists) {
    for (double& value : list) value = (value - mean) * scale + (shift_mean ? 0 : mean);
  }
}

PpoPolicyLoss ppo_policy_loss(const at::Tensor& logprobs, const at::Tensor& old, const at::Tensor& advantages,
                              const at::Tensor& weights, double range) {
  const at::Tensor ratio = (logprobs - old).exp();
  const at::Tensor free = -advantages * ratio, bounded = -advantages * ratio.clamp(1 - range, 1 + range);
  return {(at::maximum(free, bounded) * weights).sum(), ratio.detach(), bounded.detach().gt(free.detach())};
}

PpoValueLoss ppo_value_loss(const at::Tensor& values, const at::Tensor& old, const at::Tensor& returns,
                            const at::Tensor& weights, double range) {
  const at::Tensor near = at::minimum(at::maximum(values, old - range), old + range);
  const at::Tensor free = (values - returns).square(), bounded = (near - returns).square();
  return {(at::maximum(free, bounded) * weights).sum() * 0.5, bounded.detach().gt(free.detach())};
}

}  // namespace reveille::train
