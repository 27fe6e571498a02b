// Perturbations of the residual stream that make a model say the rejected replies of pairs: projected gradient ascent
// within an L2 ball for each token of the prompts (Madry et al., arXiv 1706.06083; Sheshadri et al., arXiv 2407.15549).
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

#include "nn/transformer.h"
#include "train/batches.h"
#include "train/latent_options.h"
#include "train/token_pass.h"

namespace reveille::train {

// One side of some pairs, packed without a shared prefix, and where their prompts' tokens lie.
struct LatentSide {
  PackedBatch batch;
  at::Tensor prompt_rows;  // [prompt tokens] int64, pair by pair
};
// The two sides of these pairs (pair_batches.h says which); the prompt tokens are those that both sides begin with and
// that neither learns.
struct LatentPairs {
  LatentSide chosen, rejected;
};
LatentPairs latent_pairs(const std::vector<Example>& sides, const std::vector<std::size_t>& pairs, at::Device device);

struct Perturbation {
  std::vector<std::int64_t> layers;  // as nn::ResidualHook counts them
  std::vector<at::Tensor> deltas;    // by layer, [prompt tokens, hidden] float32
  // Adds it to the residual stream of a side; `side` and the object outlive the hook.
  nn::ResidualHook hook(const LatentSide& side) const;
};

struct LatentAttack {
  Perturbation found;
  double before = 0, after = 0;  // mean -log p of the rejected replies' tokens without and with it
};
// Starts from nothing. Gradients reach no weight. Weights are not changed.
LatentAttack attack_latents(nn::Transformer& model, const LatentPairs& pairs, const std::vector<std::int64_t>& layers,
                            const LatentOptions& options);

// Mean over tokens of -log p, and of -log(1 - p), of `logprobs` [tokens]: scalars.
at::Tensor toward(const at::Tensor& logprobs);
at::Tensor away_from(const at::Tensor& logprobs);

// The layers of the options, or their default. Error(usage) that names one that the model lacks.
std::vector<std::int64_t> latent_layers(const LatentOptions& options, std::int64_t depth);

}  // namespace reveille::train
