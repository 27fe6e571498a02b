#include "train/batches.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>
#include <span>

#include "base/hash.h"
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

std::string examples_key(const std::vector<Example>& examples) {
  std::string text;
  for (const auto& example : examples) {
    text.append(reinterpret_cast<const char*>(example.ids.data()), example.ids.size() * sizeof(std::int32_t));
    text.append(reinterpret_cast<const char*>(example.supervised.data()), example.supervised.size());
  }
  return sha256_hex(text);
}

namespace {

// Tokens up to the last supervised one: what comes after predicts nothing that counts.
std::span<const std::int32_t> inputs_of(const Example& example) {
  std::size_t last = 0;
  for (std::size_t t = 1; t < example.ids.size(); ++t) {
    if (example.supervised[t]) last = t;
  }
  return {example.ids.data(), last};
}

// First token whose successor is supervised; a prefix that is shared ends before it.
std::size_t first_predictor(const Example& example, std::size_t inputs) {
  std::size_t t = 0;
  while (t < inputs && !example.supervised[t + 1]) ++t;
  return t;
}

std::int64_t shared_of(const std::vector<Example>& examples, const std::vector<std::size_t>& which) {
  std::vector<std::span<const std::int32_t>> heads;
  for (std::size_t index : which) {
    const auto inputs = inputs_of(examples[index]);
    if (inputs.empty()) continue;
    heads.push_back(inputs.first(first_predictor(examples[index], inputs.size()) + 1));
  }
  return nn::shared_prefix(heads);
}

}  // namespace

PackedBatch pack(const std::vector<Example>& examples, const std::vector<std::size_t>& which, at::Device device,
                 bool share) {
  std::vector<std::int64_t> ids, rows, targets, lengths;
  PackedBatch out;
  const auto shared = share ? static_cast<std::size_t>(shared_of(examples, which)) : std::size_t{0};
  for (std::size_t index : which) {
    const Example& example = examples[index];
    const auto inputs = inputs_of(example);
    if (ids.size() < shared && !inputs.empty())
      ids.assign(inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(shared));
    std::size_t before = rows.size();
    for (std::size_t t = shared; t < inputs.size(); ++t) {
      if (example.supervised[t + 1]) {
        rows.push_back(static_cast<std::int64_t>(ids.size()));
        targets.push_back(example.ids[t + 1]);
      }
      ids.push_back(inputs[t]);
    }
    out.supervised_of.push_back(static_cast<std::int64_t>(rows.size() - before));
    if (!inputs.empty()) lengths.push_back(static_cast<std::int64_t>(inputs.size() - shared));
    out.tokens += static_cast<std::int64_t>(example.ids.size());
  }
  out.supervised = static_cast<std::int64_t>(rows.size());
  out.ids = at::tensor(ids, at::kLong).to(device);
  out.rows = at::tensor(rows, at::kLong).to(device);
  out.targets = at::tensor(targets, at::kLong).to(device);
  out.packing = nn::make_shared_packing(static_cast<std::int64_t>(shared), lengths, device);
  return out;
}

}  // namespace reveille::train
