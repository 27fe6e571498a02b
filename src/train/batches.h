// Which rows make up which step.
#pragma once

#include <cstdint>
#include <vector>

#include "nn/ops.h"
#include "train/example.h"

namespace reveille::train {

// Rows of micro-batch `micro` of the 0-based step, drawn from a permutation keyed by (seed, epoch).
class Batches {
 public:
  Batches(std::size_t examples, std::int64_t batch, std::int64_t accumulation, std::int64_t seed);
  std::int64_t steps_per_epoch() const { return steps_per_epoch_; }
  // One list of row indices a micro-batch; the last step of an epoch may have fewer.
  std::vector<std::vector<std::size_t>> of_step(std::int64_t step);

 private:
  std::size_t examples_;
  std::int64_t batch_, accumulation_, seed_, steps_per_epoch_;
  std::int64_t epoch_ = -1;
  std::vector<std::size_t> order_;
};

// A micro-batch as tensors: packed inputs, and for each supervised token the row that predicts it.
// What all rows begin with (a system prompt, say) is there once, as the packing's shared prefix.
struct PackedBatch {
  at::Tensor ids, rows, targets;  // [tokens], [supervised], [supervised], int64
  nn::Packing packing;
  std::int64_t tokens = 0, supervised = 0;
  std::vector<std::int64_t> supervised_of;  // by example
};
// With `share` false every row is there whole, for those who look for the rows' tokens in it.
PackedBatch pack(const std::vector<Example>& examples, const std::vector<std::size_t>& which, at::Device device,
                 bool share = true);

// Supervised tokens that have a token before them, so that something predicts them.
std::int64_t supervised_tokens(const Example& example);

}  // namespace reveille::train
