#include "gen/score.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>

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

void check_sequence(const nn::Transformer& model, const std::vector<std::int32_t>& ids, std::size_t row) {
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

}  // namespace

std::vector<std::int64_t> checked_lengths(const nn::Transformer& model,
                                          const std::vector<std::vector<std::int32_t>>& sequences) {
  std::vector<std::int64_t> lengths;
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    check_sequence(model, sequences[i], i);
    lengths.push_back(static_cast<std::int64_t>(sequences[i].size()));
  }
  return lengths;
}

namespace {

// Sequences as one batch: what all begin with is there once, and so are its targets.
struct Group {
  std::int64_t shared = 0;
  std::vector<std::int64_t> tokens, lengths, rows, targets;  // rows[i] predicts targets[i]

  Group(const std::vector<std::vector<std::int32_t>>& sequences, const std::vector<std::size_t>& group) {
    // The last token predicts nothing that is asked for; a sequence of one has no row.
    std::vector<std::span<const std::int32_t>> inputs;
    for (std::size_t index : group) {
      if (sequences[index].size() > 1) inputs.emplace_back(sequences[index].data(), sequences[index].size() - 1);
    }
    shared = nn::shared_prefix(inputs);
    const auto prefix = static_cast<std::size_t>(shared);
    if (prefix > 0) {
      tokens.assign(inputs.front().begin(), inputs.front().begin() + shared);
      for (std::size_t t = 0; t + 1 < prefix; ++t) add(static_cast<std::int64_t>(t), tokens[t + 1]);
    }
    for (std::size_t index : group) {
      const auto& ids = sequences[index];
      if (ids.size() < 2) continue;
      if (prefix > 0) add(shared - 1, ids[prefix]);
      for (std::size_t t = prefix; t + 1 < ids.size(); ++t) {
        add(static_cast<std::int64_t>(tokens.size()), ids[t + 1]);
        tokens.push_back(ids[t]);
      }
      lengths.push_back(static_cast<std::int64_t>(ids.size() - 1 - prefix));
    }
  }

  void add(std::int64_t row, std::int64_t target) {
    rows.push_back(row);
    targets.push_back(target);
  }
};

void score_group(nn::Transformer& model, const std::vector<std::vector<std::int32_t>>& sequences,
                 const std::vector<std::size_t>& group, std::vector<std::vector<float>>& out) {
  const Group batch(sequences, group);
  at::Tensor logprobs;
  if (!batch.tokens.empty()) {
    auto on_device = [&](const auto& values) { return at::tensor(values, at::kLong).to(model.device()); };
    auto packing = nn::make_shared_packing(batch.shared, batch.lengths, model.device());
    auto hidden = model.hidden(on_device(batch.tokens), packing);
    if (batch.shared > 0) hidden = hidden.index_select(0, on_device(batch.rows));
    const auto [columns, weight] = model.head_inputs(hidden);
    logprobs = nn::head_logprobs(columns, weight, on_device(batch.targets), model.config().final_softcap).cpu();
  }
  // The targets within the prefix come first, once for all.
  const std::int64_t common = std::max<std::int64_t>(batch.shared - 1, 0);
  std::int64_t at = common;
  for (std::size_t index : group) {
    auto& row = out[index];
    row.assign(sequences[index].size(), std::nanf(""));
    for (std::size_t t = 1; t < row.size(); ++t) {
      const bool in_prefix = static_cast<std::int64_t>(t) <= common;
      row[t] = logprobs.const_data_ptr<float>()[in_prefix ? static_cast<std::int64_t>(t) - 1 : at++];
    }
  }
}

}  // namespace

std::vector<std::vector<float>> score(nn::Transformer& model, const std::vector<std::vector<std::int32_t>>& sequences,
                                      std::int64_t batch_tokens, const std::function<void(std::size_t)>& on_batch) {
  at::NoGradGuard no_grad;
  std::vector<std::vector<float>> out(sequences.size());
  for (const auto& group : pack_by_length(checked_lengths(model, sequences), batch_tokens)) {
    throw_if_interrupted();
    score_group(model, sequences, group, out);
    if (on_batch) on_batch(group.size());
  }
  return out;
}

}  // namespace reveille::gen
