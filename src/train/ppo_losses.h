// The quantities of proximal policy optimisation (Schulman et al., arXiv 1707.06347) as RL from human feedback uses
// it (Ziegler et al., arXiv 1909.08593; Stiennon et al., arXiv 2009.01325, section 3.4). Nats; tokens end to end.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace reveille::train {

// Per-token rewards of one completion: -coefficient * KL at every token, and the score at the last. The KL of a token
// is estimated from its own log-probabilities (Schulman, "Approximating KL divergence"): "k1" is old - reference,
// "k3" is exp(reference - old) - (reference - old) - 1, which is never negative.
std::vector<double> token_rewards(const std::vector<float>& old, const std::vector<float>& reference, double score,
                                  double kl_coef, bool k3);
double token_kl(double old, double reference, bool k3);

// Generalised advantage estimation (Schulman et al., arXiv 1506.02438, eq. 16) of one completion, whose last token ends
// the episode: delta_t = r_t + gamma V_t+1 - V_t, A_t = delta_t + gamma lambda A_t+1, return_t = A_t + V_t.
struct Gae {
  std::vector<double> advantages, returns;
};
Gae gae(const std::vector<double>& rewards, const std::vector<float>& values, double gamma, double lambda);

// Scales values in place to deviation 1 (n - 1 in the denominator, plus 1e-8 under the root), and to mean 0 with
// `shift_mean`; the lists are taken together.
void whiten(std::vector<std::vector<double>>& lists, bool shift_mean);

// arXiv 1707.06347, eq. 7: the mean over tokens of max(-ratio A, -clip(ratio, 1 - range, 1 + range) A).
struct PpoPolicyLoss {
  at::Tensor loss;     // sum of weights * per-token loss
  at::Tensor ratio;    // [tokens], no gradient
  at::Tensor clipped;  // [tokens] bool: the clipped term is the larger one
};
PpoPolicyLoss ppo_policy_loss(const at::Tensor& logprobs, const at::Tensor& old, const at::Tensor& advantages,
                              const at::Tensor& weights, double range);

// Half the mean of max((V - return)^2, (clip(V, old - range, old + range) - return)^2).
struct PpoValueLoss {
  at::Tensor loss;
  at::Tensor clipped;  // [tokens] bool
};
PpoValueLoss ppo_value_loss(const at::Tensor& values, const at::Tensor& old, const at::Tensor& returns,
                            const at::Tensor& weights, double range);

}  // namespace reveille::train
