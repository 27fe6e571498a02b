// The residual stream inside the blocks, read at the last token of given sequences: what probes look at.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "nn/transformer.h"

namespace reveille::gen {

// For every sequence, the residual stream after `layer` blocks at its last token: `hidden` float32 values. Layer 0 is
// the embedding, layer l what transformers calls hidden_states[l], but the last layer comes without the final norm.
// Batches as in score(); `on_batch` hears how many sequences are done. Error(usage): a layer that the model does not
// have; an empty sequence, one longer than the context, or an id outside the vocabulary.
std::vector<std::vector<float>> last_residuals(nn::Transformer& model,
                                               const std::vector<std::vector<std::int32_t>>& sequences,
                                               std::int64_t layer, std::int64_t batch_tokens = 4096,
                                               const std::function<void(std::size_t)>& on_batch = nullptr);

}  // namespace reveille::gen
