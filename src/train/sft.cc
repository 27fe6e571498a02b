#include "train/sft.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "train/token_pass.h"

namespace reveille::train {
namespace {

constexpr const char* kMaskedHint =
    "every label is masked; check that the rows have assistant replies and that max_length does not cut them";

}  // namespace

SftObjective::SftObjective(nn::Transformer& model, const std::vector<Example>& examples, const TrainOptions& options,
                           const std::vector<Example>* held_out)
    : model_(model),
      examples_(examples),
      held_out_(held_out),
      batches_(examples.size(), options.per_device_train_batch_size, options.gradient_accumulation_steps,
               options.seed) {
  std::int64_t supervised = 0;
  for (const auto& example : examples_) supervised += supervised_tokens(example);
  if (examples_.empty() || supervised == 0) {
    fail(ErrorKind::numeric, cat("nothing to learn from: ", examples_.size(), " rows hold no supervised token"),
         kMaskedHint);
  }
}

std::string SftObjective::key() const { return examples_key(examples_); }

StepOutcome SftObjective::step(std::int64_t step, const std::function<void()>& collect) {
  std::vector<PackedBatch> packed;
  std::int64_t supervised = 0, seen = 0;
  for (const auto& rows : batches_.of_step(step - 1)) {
    packed.push_back(pack(examples_, rows, model_.device()));
    supervised += packed.back().supervised;
    seen += static_cast<std::int64_t>(rows.size());
  }
  if (supervised == 0) fail(ErrorKind::numeric, cat("step ", step, ": its rows hold no supervised token"), kMaskedHint);
  StepOutcome out;
  Sums sums;
  for (const auto& batch : packed) {
    if (batch.supervised > 0) {
      backward(batch, supervised, sums);
      collect();
    }
    out.tokens += batch.tokens;
  }
  out.rows = seen;
  const auto count = static_cast<double>(supervised);
  out.loss = sums.loss / count;
  out.metrics = {{"mean_token_accuracy", sums.correct / count}, {"entropy", sums.entropy / count}};
  return out;
}

void SftObjective::backward(const PackedBatch& batch, std::int64_t supervised, Sums& sums) {
  at::AutoGradMode grad_on(true);
  auto hidden = model_.hidden(batch.ids, batch.packing, batch.rows);
  auto weights = at::full({batch.supervised}, 1.0 / static_cast<double>(supervised),
                          at::TensorOptions().dtype(at::kFloat).device(model_.device()));
  const auto [columns, head_weight] = model_.head_inputs(hidden);
  auto head = nn::head_loss(columns, head_weight, batch.targets, weights, model_.config().final_softcap);
  head.loss.backward();
  sums.loss -= head.logprobs.sum(at::kDouble).item<double>();
  sums.correct += static_cast<double>(head.correct.sum().item<std::int64_t>());
  sums.entropy += head.entropy.sum(at::kDouble).item<double>();
}

Metrics SftObjective::evaluate() {
  if (!held_out_ || held_out_->empty()) return {};
  return {{"eval_loss", evaluate_loss(model_, *held_out_).loss}};
}

TrainResult train(nn::Transformer& model, const std::vector<Example>& examples, const TrainOptions& options,
                  const std::filesystem::path& output_dir, const TrainHooks& hooks) {
  SftObjective objective(model, examples, options, hooks.held_out);
  return train(model, objective, options, output_dir, hooks);
}

EvalLoss evaluate_loss(nn::Transformer& model, const std::vector<Example>& examples, std::int64_t batch_tokens) {
  EvalLoss out;
  double total = 0;
  for (const auto& logprobs : target_logprobs(model, examples, batch_tokens)) {
    double sum = 0;
    for (float logprob : logprobs) sum -= logprob;
    total += sum;
    out.tokens += static_cast<std::int64_t>(logprobs.size());
    out.by_example.push_back(logprobs.empty() ? 0 : sum / static_cast<double>(logprobs.size()));
  }
  out.loss = out.tokens ? total / static_cast<double>(out.tokens) : 0;
  return out;
}

}  // namespace reveille::train
