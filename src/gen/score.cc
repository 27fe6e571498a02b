#include "gen/score.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/interrupt.h"

namespace reveille::gen {

std::vector<std::vector<std::size_t>> pack_by_length(const std::vector<std::int64_t>& lengths,
                                                     std::int64_t batch_tokens, std::int64_t batch_rows) {
  std::vector<std::size_t> order(lengths.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });
  std::vector<std::vector<std::size_t>> groups;
  std::int64_t used = 0;
  for (std::size_t index : order) {
    bool full = groups.empty() || used + lengths[index] > batch_tokens ||
                (batch_rows > 0 && static_cast<std::int64_t>(groups.back().size()) >= batch_rows);
    if (full) {
      groups.emplace_back();
      used = 0;
    }
    groups.back().push_back(index);
    used += lengths[index];
  }
  return groups;
}

namespace {

void check(const nn::Transformer& model, const std::vector<std::int32_t>& ids, std::size_t row) {
  const auto& config = model.config();
  if (ids.empty()) fail(ErrorKind::usage, cat("row ", row + 1, " is empty: there is nothing to score"));
  if (static_cast<std::int64_t>(ids.size()) > config.max_positions) {
    fail(ErrorKind::usage,
         cat("row ", row + 1, " has ", ids.size(), " tokens, the model's context holds ", config.max_positions));
  }
  for (auto id : ids) {
    if (id < 0 || id >= config.vocab_size) {
      fail(ErrorKind::usage,
           cat("row ", row + 1, ": token id ", id, " is outside the vocabulary of ", config.vocab_size));
    }
  }
}

void score_group(nn::Transformer& model, const std::vector<std::vector<std::int32_t>>& sequences,
                 const std::vector<std::size_t>& group, std::vector<std::vector<float>>& out) {
  std::vector<std::int64_t> tokens, lengths, rows, targets;
  for (std::size_t index : group) {
    const auto& ids = sequences[index];
    for (std::size_t t = 0; t + 1 < ids.size(); ++t) {
      rows.push_back(static_cast<std::int64_t>(tokens.size()));
      tokens.push_back(ids[t]);
      targets.push_back(ids[t + 1]);
    }
    // The last token predicts nothing that is asked for; a sequence of one still needs a row.
    if (ids.size() > 1) lengths.push_back(static_cast<std::int64_t>(ids.size()) - 1);
  }
  at::Tensor logprobs;
  if (!tokens.empty()) {
    auto device = model.device();
    auto packing = nn::make_packing(lengths, {}, device);
    auto hidden = model.hidden(at::tensor(tokens, at::kLong).to(device), packing);
    logprobs = nn::head_logprobs(hidden, model.head_weight(), at::tensor(targets, at::kLong).to(device),
                                 model.config().final_softcap)
                   .cpu();
  }
  std::int64_t at = 0;
  for (std::size_t index : group) {
    auto& row = out[index];
    row.assign(sequences[index].size(), std::nanf(""));
    for (std::size_t t = 1; t < row.size(); ++t) row[t] = logprobs.data_ptr<float>()[at++];
  }
}

}  // namespace

std::vector<std::vector<float>> score(nn::Transformer& model, const std::vector<std::vector<std::int32_t>>& sequences,
                                      std::int64_t batch_tokens, const std::function<void(std::size_t)>& on_batch) {
  at::NoGradGuard no_grad;
  std::vector<std::int64_t> lengths;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    check(model, sequences[i], i);
    lengths.push_back(static_cast<std::int64_t>(sequences[i].size()));
  }
  std::vector<std::vector<float>> out(sequences.size());
  for (const auto& group : pack_by_length(lengths, batch_tokens)) {
    throw_if_interrupted();
    score_group(model, sequences, group, out);
    if (on_batch) on_batch(group.size());
  }
  return out;
}

}  // namespace reveille::gen
