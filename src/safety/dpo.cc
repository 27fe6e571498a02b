#include "safety/dpo.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <numeric>

#include "base/error.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/strings.h"
#include "train/losses.h"
#include "train/pair_batches.h"

namespace reveille::safety {
namespace {

constexpr std::int64_t kScoreTokens = 4096;

std::vector<double> summed(nn::Transformer& model, const std::vector<train::Example>& sides) {
  std::vector<double> out;
  for (const auto& logprobs : train::target_logprobs(model, sides, kScoreTokens))
    out.push_back(std::accumulate(logprobs.begin(), logprobs.end(), 0.0));
  return out;
}

}  // namespace

// What a step's metrics are means of.
struct DpoObjective::Sums {
  double loss = 0, chosen_reward = 0, rejected_reward = 0, accuracy = 0, chosen_logp = 0, rejected_logp = 0;
  double entropy = 0, correct = 0;
  std::int64_t pairs = 0, tokens = 0, targets = 0, chosen_targets = 0;

  // By pair, on the CPU; all float64.
  void add(const at::Tensor& losses, const at::Tensor& chosen, const at::Tensor& rejected, const at::Tensor& logps,
           double beta) {
    const at::Tensor rewards = beta * chosen, others = beta * rejected;
    loss += losses.sum().item<double>();
    chosen_reward += rewards.sum().item<double>();
    rejected_reward += others.sum().item<double>();
    accuracy += rewards.gt(others).sum().item<double>();
    chosen_logp += logps.select(1, 0).sum().item<double>();
    rejected_logp += logps.select(1, 1).sum().item<double>();
    pairs += losses.numel();
  }

  train::Metrics metrics(const std::string& prefix) const {
    const auto n = static_cast<double>(std::max<std::int64_t>(1, pairs));
    return {{prefix + "rewards/chosen", chosen_reward / n},
            {prefix + "rewards/rejected", rejected_reward / n},
            {prefix + "rewards/accuracies", accuracy / n},
            {prefix + "rewards/margins", (chosen_reward - rejected_reward) / n},
            {prefix + "logps/chosen", chosen_logp / n},
            {prefix + "logps/rejected", rejected_logp / n}};
  }
};

train::TrainOptions dpo_train_options() {
  train::TrainOptions options;
  options.learning_rate = 1e-6;
  options.per_device_train_batch_size = 8;
  return options;
}

DpoObjective::DpoObjective(nn::Transformer& model, std::vector<train::Pair> pairs, std::vector<train::Pair> held_out,
                           const train::TrainOptions& options, const DpoOptions& dpo)
    : model_(model),
      dpo_(dpo),
      sides_(train::sides_of(std::move(pairs))),
      held_out_(train::sides_of(std::move(held_out))),
      batches_(sides_.size() / 2, options.per_device_train_batch_size, options.gradient_accumulation_steps,
               options.seed) {
  if (sides_.empty()) fail(ErrorKind::bad_input, "there are no pairs to learn from");
  if (dpo.label_smoothing > 0 && dpo.loss_type != "robust") {
    fail(ErrorKind::usage, cat("label_smoothing=", dpo.label_smoothing, " does nothing with loss_type=sigmoid"),
         "say loss_type=robust");
  }
  say(cat("log-probabilities of ", sides_.size() / 2, " pairs under the model as it is"));
  reference_ = summed(model_, sides_);
  held_out_reference_ = summed(model_, held_out_);
}

std::string DpoObjective::key() const {
  DpoOptions options = dpo_;
  return sha256_hex("dpo" + options_to_json(options).dump() + train::examples_key(sides_));
}

train::StepOutcome DpoObjective::step(std::int64_t step, const std::function<void()>& collect) {
  const auto micro_batches = batches_.of_step(step - 1);
  std::size_t pairs = 0;
  for (const auto& rows : micro_batches) pairs += rows.size();
  Sums sums;
  for (const auto& rows : micro_batches) {
    backward(train::sides_of(rows), 1.0 / static_cast<double>(pairs), sums);
    collect();
  }
  train::StepOutcome out{sums.loss / static_cast<double>(sums.pairs), sums.tokens, sums.metrics("")};
  out.rows = sums.pairs;
  out.metrics.push_back({"mean_token_accuracy", sums.correct / static_cast<double>(sums.chosen_targets)});
  out.metrics.push_back({"entropy", sums.entropy / static_cast<double>(sums.targets)});
  note_ = cat("loss ", fixed(out.loss, 3), "  margin ", fixed(train::value_of(out.metrics, "rewards/margins"), 3));
  return out;
}

void DpoObjective::backward(const std::vector<std::size_t>& which, double share, Sums& sums) {
  at::AutoGradMode grad_on(true);
  const auto batch = train::pack(sides_, which, model_.device());
  train::TokenPass pass(model_, batch);
  std::vector<double> reference;
  for (std::size_t side : which) reference.push_back(reference_[side]);
  // In float64: a reply's sum of some hundred nats, of which differences are taken.
  const at::Tensor logps = train::sum_by_row(pass.logprobs().to(at::kDouble), batch).view({-1, 2});
  const at::Tensor ratios = logps - at::tensor(reference, at::kDouble).to(logps.device()).view({-1, 2});
  const at::Tensor chosen = ratios.select(1, 0), rejected = ratios.select(1, 1);
  const at::Tensor losses = train::dpo_losses(chosen - rejected, dpo_.beta, dpo_.loss_type, dpo_.label_smoothing);
  pass.backward(losses.sum() * share);
  sums.add(losses.detach(), chosen.detach(), rejected.detach(), logps.detach(), dpo_.beta);
  sums.tokens += batch.tokens;
  sums.targets += batch.supervised;
  sums.entropy += pass.entropy().sum(at::kDouble).item<double>();
  const at::Tensor of_chosen = train::row_of_targets(batch, model_.device()).remainder(2).eq(0);
  sums.correct += pass.correct().logical_and(of_chosen).sum().item<double>();
  sums.chosen_targets += of_chosen.sum().item<std::int64_t>();
}

train::Metrics DpoObjective::evaluate() {
  if (held_out_.empty()) return {};
  at::NoGradGuard no_grad;
  const at::Tensor logps = at::tensor(summed(model_, held_out_), at::kDouble).view({-1, 2});
  const at::Tensor ratios = logps - at::tensor(held_out_reference_, at::kDouble).view({-1, 2});
  const at::Tensor chosen = ratios.select(1, 0), rejected = ratios.select(1, 1);
  const at::Tensor losses = train::dpo_losses(chosen - rejected, dpo_.beta, dpo_.loss_type, dpo_.label_smoothing);
  Sums sums;
  sums.add(losses, chosen, rejected, logps, dpo_.beta);
  train::Metrics out = {{"eval_loss", losses.mean().item<double>()}};
  for (auto& metric : sums.metrics("eval_")) out.push_back(std::move(metric));
  return out;
}

train::TrainResult train_dpo(gen::LocalModel& model, std::vector<train::Pair> pairs, std::vector<train::Pair> held_out,
                             const train::TrainOptions& options, const DpoOptions& dpo,
                             const std::filesystem::path& output_dir, const train::TrainHooks& hooks) {
  DpoObjective objective(model.transformer(), std::move(pairs), std::move(held_out), options, dpo);
  return train::train(model.transformer(), objective, options, output_dir, hooks);
}

}  // namespace reveille::safety
