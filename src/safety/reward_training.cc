#include "safety/reward_training.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/strings.h"
#include "gen/save.h"
#include "train/losses.h"
#include "train/pair_batches.h"

namespace reveille::safety {
namespace {

std::vector<train::Example> readable(std::vector<train::Pair> pairs, std::optional<std::int32_t> pad) {
  auto sides = train::sides_of(std::move(pairs));
  for (auto& side : sides) side = read_at_end(std::move(side.ids), pad, side.source);
  return sides;
}

std::string bytes_of(const at::Tensor& tensor) {
  const at::Tensor here = tensor.detach().cpu().contiguous();
  return {static_cast<const char*>(here.const_data_ptr()), here.nbytes()};
}

}  // namespace

// By pair, what a step's metrics are means of.
struct RewardObjective::Sums {
  double loss = 0, accuracy = 0, margin = 0, total = 0, least = INFINITY, most = -INFINITY;
  std::int64_t pairs = 0, tokens = 0;

  // scores [pairs, 2].
  void add(const at::Tensor& scores, const at::Tensor& losses) {
    const at::Tensor margins = scores.select(1, 0) - scores.select(1, 1);
    loss += losses.sum(at::kDouble).item<double>();
    accuracy += margins.gt(0).sum().item<double>();
    margin += margins.sum(at::kDouble).item<double>();
    total += scores.sum(at::kDouble).item<double>();
    least = std::min(least, scores.min().item<double>());
    most = std::max(most, scores.max().item<double>());
    pairs += losses.numel();
  }

  train::Metrics metrics(const std::string& prefix) const {
    const auto n = static_cast<double>(pairs);
    return {{prefix + "min_reward", least},
            {prefix + "mean_reward", total / (2 * n)},
            {prefix + "max_reward", most},
            {prefix + "accuracy", accuracy / n},
            {prefix + "margin", margin / n}};
  }
};

train::TrainOptions reward_train_options() {
  train::TrainOptions options;
  options.learning_rate = 1e-5;
  options.num_train_epochs = 1;
  options.per_device_train_batch_size = 8;
  return options;
}

RewardObjective::RewardObjective(nn::Transformer& model, at::Tensor head, std::optional<std::int32_t> pad,
                                 std::vector<train::Pair> pairs, std::vector<train::Pair> held_out,
                                 const train::TrainOptions& options, const RewardOptions& reward)
    : model_(model),
      head_(std::move(head)),
      reward_(reward),
      sides_(readable(std::move(pairs), pad)),
      held_out_(readable(std::move(held_out), pad)),
      batches_(sides_.size() / 2, options.per_device_train_batch_size, options.gradient_accumulation_steps,
               options.seed) {
  if (sides_.empty()) fail(ErrorKind::bad_input, "there are no pairs to learn from");
}

std::string RewardObjective::key() const {
  RewardOptions options = reward_;
  return sha256_hex("reward" + options_to_json(options).dump() + bytes_of(head_) + train::examples_key(sides_));
}

train::StepOutcome RewardObjective::step(std::int64_t step, const std::function<void()>& collect) {
  at::AutoGradMode grad_on(true);
  const auto micro_batches = batches_.of_step(step - 1);
  std::size_t pairs = 0;
  for (const auto& rows : micro_batches) pairs += rows.size();
  Sums sums;
  for (const auto& rows : micro_batches) {
    const auto which = train::sides_of(rows);
    const at::Tensor scores = read_scores(model_, head_, sides_, which).view({-1, 2});
    const at::Tensor losses =
        train::bradley_terry_losses(scores.select(1, 0), scores.select(1, 1), reward_.center_rewards_coefficient);
    (losses.sum() / static_cast<double>(pairs)).backward();
    collect();
    sums.add(scores.detach(), losses.detach());
    for (std::size_t side : which) sums.tokens += static_cast<std::int64_t>(sides_[side].ids.size()) - 1;
  }
  train::StepOutcome out{sums.loss / static_cast<double>(sums.pairs), sums.tokens, sums.metrics("")};
  out.rows = sums.pairs;
  note_ = cat("loss ", fixed(out.loss, 3), "  accuracy ", fixed(train::value_of(out.metrics, "accuracy"), 2));
  return out;
}

train::Metrics RewardObjective::evaluate() {
  if (held_out_.empty()) return {};
  at::NoGradGuard no_grad;
  const at::Tensor scores = at::tensor(read_all(model_, head_, held_out_), at::kDouble).view({-1, 2});
  const at::Tensor losses =
      train::bradley_terry_losses(scores.select(1, 0), scores.select(1, 1), reward_.center_rewards_coefficient);
  Sums sums;
  sums.add(scores, losses);
  train::Metrics out = {{"eval_loss", losses.mean().item<double>()}};
  for (auto& metric : sums.metrics("eval_")) out.push_back(std::move(metric));
  return out;
}

train::TrainResult train_reward(gen::LocalModel& model, std::vector<train::Pair> pairs,
                                std::vector<train::Pair> held_out, const train::TrainOptions& options,
                                const RewardOptions& reward, const std::filesystem::path& output_dir,
                                const train::TrainHooks& hooks) {
  ensure_score_head(model, options.seed);
  train::TrainResult result;
  {
    RewardObjective objective(model.transformer(), model.score_head(), pad_of(model), std::move(pairs),
                              std::move(held_out), options, reward);
    result = train::train(model.transformer(), objective, options, output_dir, hooks);
  }
  if (model.adapter()) {
    gen::merge_lora(model);
    model.transformer().weights_changed();
  }
  return result;
}

std::vector<bool> ranked_rightly(gen::LocalModel& model, std::vector<train::Pair> pairs) {
  const auto sides = readable(std::move(pairs), pad_of(model));
  const auto scores = read_all(model.transformer(), model.score_head(), sides);
  std::vector<bool> out;
  for (std::size_t side = 0; side + 1 < scores.size(); side += 2) out.push_back(scores[side] > scores[side + 1]);
  return out;
}

}  // namespace reveille::safety
