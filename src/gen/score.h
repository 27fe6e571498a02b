// Log-probabilities of given tokens, through the same blocks that train and sample.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "nn/transformer.h"

namespace reveille::gen {

// For every sequence, log p(token t | tokens before t), natural logarithm, float32; entry 0 is NaN.
// Sequences are packed by length into batches of at most `batch_tokens` tokens (one sequence
// may exceed it). `on_batch` hears how many sequences are done.
// Errors: usage for an empty sequence, one longer than the context, or an id outside the vocabulary.
std::vector<std::vector<float>> score(nn::Transformer& model, const std::vector<std::vector<std::int32_t>>& sequences,
                                      std::int64_t batch_tokens = 4096,
                                      const std::function<void(std::size_t)>& on_batch = nullptr);

// How long each is. Error(usage) that names the row: an empty sequence, one longer than the context, or an id outside
// the vocabulary.
std::vector<std::int64_t> checked_lengths(const nn::Transformer& model,
                                          const std::vector<std::vector<std::int32_t>>& sequences);

// Splits sequences of these lengths, longest first, into groups of at most `batch_tokens` tokens
// and at most `batch_rows` sequences (0: any number). The result holds indices.
std::vector<std::vector<std::size_t>> pack_by_length(const std::vector<std::int64_t>& lengths,
                                                     std::int64_t batch_tokens, std::int64_t batch_rows = 0);

}  // namespace reveille::gen
