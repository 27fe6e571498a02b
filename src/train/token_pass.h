// Losses that are any function of the log-probabilities of a batch's targets: preferences and reinforcement learning.
//
// The head's one kernel (nn::head_loss) yields a weighted sum of log-probabilities and its gradient, chunk by chunk,
// without keeping the logits. That is enough: the gradient of f(p_1 .. p_n) is that of sum c_i p_i with
// c_i = df/dp_i held fixed. So the log-probabilities are found first, f is derived with respect to them, and the
// c_i are the weights of the one backward pass.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nn/transformer.h"
#include "train/batches.h"
#include "train/example.h"

namespace reveille::train {

class TokenPass {
 public:
  // The forward pass, with gradients; `hook` may add to the residual stream. `batch` outlives the object and supervises
  // at least one token.
  TokenPass(nn::Transformer& model, const PackedBatch& batch, const nn::ResidualHook& hook = nullptr);
  // log p of every target, [supervised] float32 nats, in the batch's order. A leaf: the loss is derived by it.
  const at::Tensor& logprobs() const { return logprobs_; }
  // Final hidden states that predict the targets, [supervised, hidden], for heads of one's own.
  const at::Tensor& hidden() const { return hidden_; }
  // Gradients of `loss`, a scalar function of logprobs(), into the model; `more` (may be undefined) is a loss that
  // depends on hidden() and on other tensors, not on logprobs().
  void backward(const at::Tensor& loss, const at::Tensor& more = {});
  // Gradients of `loss`, a scalar function of logprobs(), with respect to `inputs` that the hook used; none reach the
  // model.
  std::vector<at::Tensor> gradients(const at::Tensor& loss, const std::vector<at::Tensor>& inputs);
  // After backward: [supervised] float32 nats, and [supervised] bool, whether the target was the likeliest token.
  const at::Tensor& entropy() const { return entropy_; }
  const at::Tensor& correct() const { return correct_; }

 private:
  nn::Transformer& model_;
  const PackedBatch& batch_;
  at::Tensor hidden_, columns_, weight_, logprobs_, entropy_, correct_;
};

// To which of the batch's rows each target belongs: [supervised] int64.
at::Tensor row_of_targets(const PackedBatch& batch, at::Device device);
// values [supervised] added up by row: [rows]; differentiable.
at::Tensor sum_by_row(const at::Tensor& values, const PackedBatch& batch);

// log p of every supervised token, by example, without gradients.
std::vector<std::vector<float>> target_logprobs(nn::Transformer& model, const std::vector<Example>& examples,
                                                std::int64_t batch_tokens = 4096);

// Splits examples, in their order, into groups of at most `batch_tokens` tokens.
std::vector<std::vector<std::size_t>> groups_of(const std::vector<Example>& examples, std::int64_t batch_tokens);

}  // namespace reveille::train
