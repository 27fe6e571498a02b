#include "mitigate/anchored.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "train/token_pass.h"

namespace reveille::mitigate {
namespace {

constexpr std::int64_t kBatchTokens = 4096;
constexpr std::int64_t kChunkRows = 128;  // logits that are in memory at a time

std::string text_of(const AnchoredRows& rows) {
  std::string text = train::examples_key(rows.examples);
  for (const std::size_t anchor : rows.anchors) text += cat(",", anchor);
  return text;
}

}  // namespace

Anchor::Anchor(nn::Transformer& model, const std::vector<train::Example>& examples)
    : columns_(examples.size()), softcap_(model.config().final_softcap) {
  at::NoGradGuard no_grad;
  head_ = model
              .head_inputs(at::zeros({0, model.config().hidden},
                                     at::TensorOptions().dtype(model.compute_type()).device(model.device())))
              .second.detach();
  const at::Tensor none = at::zeros({0, head_.size(1)}, head_.options());
  for (const auto& group : train::groups_of(examples, kBatchTokens)) {
    throw_if_interrupted();
    const auto batch = train::pack(examples, group, model.device());
    if (batch.supervised == 0) {
      for (const std::size_t example : group) columns_[example] = none;
      continue;
    }
    const at::Tensor all = model.head_inputs(model.hidden(batch.ids, batch.packing, batch.rows)).first.detach();
    std::int64_t row = 0;
    for (std::size_t i = 0; i < group.size(); ++i) {
      columns_[group[i]] = all.narrow(0, row, batch.supervised_of[i]).clone();
      row += batch.supervised_of[i];
    }
  }
}

at::Tensor Anchor::columns(const std::vector<std::size_t>& examples) const {
  std::vector<at::Tensor> parts;
  for (const std::size_t example : examples) parts.push_back(columns_[example]);
  return at::cat(parts, 0);
}

at::Tensor Anchor::logprobs(const at::Tensor& columns) const {
  at::NoGradGuard no_grad;
  at::Tensor logits = nn::linear(columns, head_, at::Tensor()).to(at::kFloat);
  if (softcap_ > 0) logits = (logits / softcap_).tanh() * softcap_;
  return logits.log_softmax(1);
}

bool AnchoredRows::add(const Anchor& anchor, train::Example example, std::size_t of) {
  const std::int64_t tokens = train::supervised_tokens(example);
  if (tokens == 0 || tokens != anchor.tokens(of)) return false;
  examples.push_back(std::move(example));
  anchors.push_back(of);
  return true;
}

AnchoredObjective::AnchoredObjective(nn::Transformer& model, const Anchor& anchor, const AnchoredRows& rows,
                                     const AnchoredRows& keep, const AnchoredWeights& weights,
                                     const train::TrainOptions& options)
    : model_(model),
      anchor_(anchor),
      rows_(rows),
      keep_(keep),
      weights_(weights),
      batches_(rows.examples.size(), options.per_device_train_batch_size, options.gradient_accumulation_steps,
               options.seed),
      keep_batches_(keep.examples.size(), options.per_device_train_batch_size, options.gradient_accumulation_steps,
                    options.seed + 1) {
  if (rows.examples.empty()) fail(ErrorKind::numeric, "nothing to learn from: no row fits the anchor");
}

std::string AnchoredObjective::key() const {
  return sha256_hex(
      cat("anchored ", weights_.say, " ", weights_.match, " ", weights_.keep, text_of(rows_), ";", text_of(keep_)));
}

train::StepOutcome AnchoredObjective::step(std::int64_t step, const std::function<void()>& collect) {
  const Sums learnt = learn(rows_, batches_.of_step(step - 1), weights_.say, weights_.match, collect);
  Sums kept;
  if (weights_.keep > 0 && !keep_.examples.empty())
    kept = learn(keep_, keep_batches_.of_step(step - 1), 0, weights_.keep, collect);
  auto mean = [](double sum, const Sums& of) { return of.supervised ? sum / static_cast<double>(of.supervised) : 0; };
  const double say = mean(learnt.say, learnt), match = mean(learnt.match, learnt), keep = mean(kept.match, kept);
  train::StepOutcome out;
  out.loss = weights_.say * say + weights_.match * match + weights_.keep * keep;
  out.tokens = learnt.tokens + kept.tokens;
  out.rows = learnt.rows;
  out.metrics = {{"losses/say", say}, {"losses/match", match}, {"losses/keep", keep}};
  return out;
}

AnchoredObjective::Sums AnchoredObjective::learn(const AnchoredRows& rows,
                                                 const std::vector<std::vector<std::size_t>>& micro_batches, double say,
                                                 double match, const std::function<void()>& collect) {
  std::vector<train::PackedBatch> batches;
  Sums sums;
  for (const auto& which : micro_batches) {
    batches.push_back(train::pack(rows.examples, which, model_.device()));
    sums.supervised += batches.back().supervised;
    sums.tokens += batches.back().tokens;
    sums.rows += static_cast<std::int64_t>(which.size());
  }
  for (std::size_t i = 0; i < batches.size(); ++i) {
    if (batches[i].supervised == 0) continue;
    std::vector<std::size_t> anchors;
    for (const std::size_t row : micro_batches[i]) anchors.push_back(rows.anchors[row]);
    backward(batches[i], anchor_.columns(anchors), say, match, sums.supervised, sums);
    collect();
  }
  return sums;
}

// The gradient goes through the head in chunks, so that logits of all tokens are never in memory at once, and then once
// through the blocks.
void AnchoredObjective::backward(const train::PackedBatch& batch, const at::Tensor& columns, double say, double match,
                                 std::int64_t supervised, Sums& sums) {
  at::AutoGradMode grad_on(true);
  const at::Tensor hidden = model_.hidden(batch.ids, batch.packing, batch.rows);
  const at::Tensor leaf = hidden.detach().requires_grad_(true);
  const auto count = static_cast<double>(supervised);
  for (std::int64_t row = 0; row < batch.supervised; row += kChunkRows) {
    const std::int64_t rows = std::min(kChunkRows, batch.supervised - row);
    const at::Tensor q = model_.logits(leaf.narrow(0, row, rows)).log_softmax(1);
    const at::Tensor p = anchor_.logprobs(columns.narrow(0, row, rows));
    const at::Tensor said = -q.gather(1, batch.targets.narrow(0, row, rows).unsqueeze(1)).sum();
    const at::Tensor away = (p.exp() * (p - q)).sum();
    ((said * say + away * match) / count).backward();
    sums.say += said.item<double>();
    sums.match += away.item<double>();
  }
  hidden.backward(leaf.grad());
}

}  // namespace reveille::mitigate
