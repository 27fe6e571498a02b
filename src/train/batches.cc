#include "train/batches.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "base/rng.h"

namespace reveille::train {

Batches::Batches(std::size_t examples, std::int64_t batch, std::int64_t accumulation, std::int64_t seed)
    : examples_(examples), batch_(batch), accumulation_(accumulation), seed_(seed) {
  auto rows = static_cast<std::int64_t>(examples);
  steps_per_epoch_ = std::max<std::int64_t>(1, (rows + batch * accumulation - 1) / (batch * accumulation));
}

std::vector<std::vector<std::size_t>> Batches::of_step(std::int64_t step) {
  std::int64_t epoch = step / steps_per_epoch_;
  if (epoch != epoch_) {
    epoch_ = epoch;
    order_.resize(examples_);
    std::iota(order_.begin(), order_.end(), std::size_t{0});
    Rng(static_cast<std::uint64_t>(seed_), "data order").child(static_cast<std::uint64_t>(epoch)).shuffle(order_);
  }
  auto at = static_cast<std::size_t>(step % steps_per_epoch_ * batch_ * accumulation_);
  std::vector<std::vector<std::size_t>> out;
  for (std::int64_t micro = 0; micro < accumulation_ && at < examples_; ++micro) {
    std::size_t end = std::min(examples_, at + static_cast<std::size_t>(batch_));
    out.emplace_back(order_.begin() + static_cast<std::ptrdiff_t>(at),
                     order_.begin() + static_cast<std::ptrdiff_t>(end));
    at = end;
  }
  return out;
}

std::int64_t supervised_tokens(const Example& example) {
  std::int64_t count = 0;
  for (std::size_t t = 1; t < example.ids.size(); ++t) count += example.supervised[t];
  return count;
}

PackedBatch pack(const std::vector<Example>& examples, const std::vector<std::size_t>& which, at::Device device) {
  std::vector<std::int64_t> ids, rows, targets, lengths;
  PackedBatch out;
  for (std::size_t index : which) {
    const Example& example = examples[index];
    // Tokens after the last supervised one predict nothing that counts.
    std::size_t last = 0;
    for (std::size_t t = 1; t < example.ids.size(); ++t) {
      if (example.supervised[t]) last = t;
    }
    std::size_t before = rows.size();
    for (std::size_t t = 0; t < last; ++t) {
      if (example.supervised[t + 1]) {
        rows.push_back(static_cast<std::int64_t>(ids.size()));
        targets.push_back(example.ids[t + 1]);
      }
      ids.push_back(example.ids[t]);
    }
    out.supervised_of.push_back(static_cast<std::int64_t>(rows.size() - before));
    if (last > 0) lengths.push_back(static_cast<std::int64_t>(last));
    out.tokens += static_cast<std::int64_t>(example.ids.size());
  }
  out.supervised = static_cast<std::int64_t>(rows.size());
  out.ids = at::tensor(ids, at::kLong).to(device);
  out.rows = at::tensor(rows, at::kLong).to(device);
  out.targets = at::tensor(targets, at::kLong).to(device);
  out.packing = nn::make_packing(lengths, {}, device);
  return out;
}

}  // namespace reveille::train
