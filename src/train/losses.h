// The losses of preference training and reinforcement learning, as functions of tensors: no model, no data.
//
// Log-probabilities are float32, in nats. Tokens of several completions lie end to end, without padding: "per token"
// is [tokens], and each token has a weight that says how the mean is taken. All losses are scalars to be minimised,
// differentiable with respect to their first argument.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

namespace reveille::train {

// Direct preference optimisation (Rafailov et al., arXiv 2305.18290, eq. 7), by pair: -log sigmoid(beta * margin),
// where margin [pairs] is (chosen - reference chosen) - (rejected - reference rejected), each the sum over a reply's
// tokens. `loss_type` "sigmoid", or "robust" (Chowdhury et al., arXiv 2403.00409), which supposes that a share
// `label_smoothing` < 0.5 of the pairs is the wrong way round. -> [pairs]
at::Tensor dpo_losses(const at::Tensor& margin, double beta, const std::string& loss_type, double label_smoothing);

// Bradley-Terry, by pair: -log sigmoid(chosen - rejected) (Ouyang et al., arXiv 2203.02155, eq. 1). Scores [pairs].
// `center` > 0 adds center * (chosen + rejected)^2, which keeps the scores around 0 (Eisenstein et al., arXiv
// 2312.09244). -> [pairs]
at::Tensor bradley_terry_losses(const at::Tensor& chosen, const at::Tensor& rejected, double center);

// Advantages of completions that lie group by group: reward minus the group's mean, divided by the standard deviation
// (of the group, or of the whole batch, n - 1 in the denominator, plus 1e-4), or not divided at all
// (Shao et al., arXiv 2402.03300, section 4.1.2; "none": Liu et al., arXiv 2503.20783). `scale` is TRL's
// scale_rewards: "group", "batch", "none".
struct GroupAdvantages {
  std::vector<double> advantages;
  double zero_std_share = 0;  // of completions whose standard deviation is zero: they teach nothing
};
GroupAdvantages group_advantages(const std::vector<double>& rewards, std::int64_t group, const std::string& scale);

// Weights of tokens within a micro-batch so that the sum of weighted losses is TRL's loss of that type: "grpo" (mean
// over completions of their means), "bnpo" (mean over the micro-batch's tokens), "dr_grpo" (sum over completions times
// max_completion_length), each divided by the number of micro-batches; "dapo" (mean over the tokens of the whole
// step).
struct TokenMean {
  std::string loss_type = "dapo";
  std::int64_t max_completion_length = 1;
  std::int64_t micro_batches = 1;
  std::int64_t step_tokens = 1;  // of all micro-batches
};
std::vector<float> token_weights(const std::vector<std::int64_t>& tokens_of, const TokenMean& mean);

// The clipped policy loss of GRPO (arXiv 2402.03300, eq. 3), per token:
// -min(ratio * A, clip(ratio, 1 - low, 1 + high) * A) + beta * k3, where ratio = exp(logprobs - old) and
// k3 = exp(reference - logprobs) - (reference - logprobs) - 1 (Schulman, "Approximating KL divergence"), times the
// ratio with `correct_kl` (TRL's use_bias_correction_kl). `reference` may be undefined where beta is 0.
struct GrpoTokens {
  at::Tensor old, reference, advantages, weights;  // [tokens] each
};
struct GrpoClip {
  double beta = 0, low = 0.2, high = 0.2;
  bool correct_kl = true;
};
struct GrpoLoss {
  at::Tensor loss;       // scalar: sum of weights * per-token loss
  at::Tensor kl;         // [tokens], no gradient; undefined where beta is 0
  at::Tensor low, high;  // [tokens] bool: clipped below, above
};
GrpoLoss grpo_loss(const at::Tensor& logprobs, const GrpoTokens& tokens, const GrpoClip& clip);

}  // namespace reveille::train
