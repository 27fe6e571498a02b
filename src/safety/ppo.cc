#include "safety/ppo.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "base/hash.h"
#include "base/rng.h"
#include "train/ppo_losses.h"
#include "train/token_pass.h"

namespace reveille::safety {
namespace {

constexpr std::int64_t kValueTokens = 4096;

RoundShape shape_of(const train::TrainOptions& options, const PpoOptions& ppo) {
  return {options.per_device_train_batch_size * options.gradient_accumulation_steps * ppo.num_mini_batches, 1,
          ppo.num_ppo_epochs * ppo.num_mini_batches};
}

std::vector<float> narrowed(const std::vector<double>& values) { return {values.begin(), values.end()}; }

}  // namespace

// Over the tokens of a mini-batch.
struct PpoObjective::Sums {
  double policy = 0, value = 0;  // losses of the mini-batch
  double entropy = 0, approx_kl = 0, clipped = 0, value_clipped = 0, ratio = 0, difference = 0;
  std::int64_t completion_tokens = 0, tokens = 0;
};

train::TrainOptions ppo_train_options() {
  train::TrainOptions options;
  options.learning_rate = 3e-6;
  options.per_device_train_batch_size = 8;
  return options;
}

PpoObjective::PpoObjective(RolloutMaker& maker, const train::TrainOptions& options, const PpoOptions& ppo)
    : RoundObjective(maker, shape_of(options, ppo), options.seed),
      ppo_(ppo),
      micro_batch_(options.per_device_train_batch_size),
      seed_(options.seed) {
  const auto type = at::TensorOptions().dtype(at::kFloat).device(model().device());
  head_ = at::zeros({1, model().config().hidden}, type);
  bias_ = at::zeros({1}, type);
}

std::string PpoObjective::key() const {
  PpoOptions options = ppo_;
  return sha256_hex("ppo" + options_to_json(options).dump() + maker().key());
}

std::vector<train::ExtraParam> PpoObjective::extras() {
  return {{"v_head.weight", head_, false}, {"v_head.bias", bias_, false}};
}

at::Tensor PpoObjective::values_of(const at::Tensor& hidden) const {
  return at::matmul(hidden.to(at::kFloat), head_.t()).squeeze(1) + bias_;
}

void PpoObjective::prepare(std::vector<Rollout>& rollouts, train::Metrics& metrics) {
  const bool k3 = ppo_.kl_estimator == "k3";
  const auto n = static_cast<double>(rollouts.size());
  double kl = 0, token_kl = 0, surprise = 0, scores = 0, penalty = 0, stopped = 0, tokens = 0;
  for (auto& one : rollouts) {
    if (!one.stopped) one.score -= ppo_.missing_eos_penalty;
    scores += one.score;
    stopped += one.stopped ? 1 : 0;
    tokens += static_cast<double>(one.tokens());
    for (std::size_t t = 0; t < one.old.size(); ++t) {
      kl += train::token_kl(one.old[t], one.reference[t], false);
      token_kl += train::token_kl(one.old[t], one.reference[t], true);
      penalty -= ppo_.kl_coef * train::token_kl(one.old[t], one.reference[t], k3);
      surprise -= one.old[t];
    }
  }
  find_values(rollouts);
  find_advantages(rollouts);
  const train::Metrics own = {{"kl", token_kl / tokens},
                              {"objective/kl", kl / n},
                              {"objective/entropy", surprise / n},
                              {"objective/non_score_reward", penalty / n},
                              {"objective/rlhf_reward", (penalty + scores) / n},
                              {"objective/scores", scores / n},
                              {"val/num_eos_tokens", stopped}};
  metrics.insert(metrics.end(), own.begin(), own.end());
}

void PpoObjective::find_values(std::vector<Rollout>& rollouts) {
  at::NoGradGuard no_grad;
  std::vector<train::Example> examples;
  for (const auto& one : rollouts) examples.push_back(one.example);
  for (const auto& group : train::groups_of(examples, kValueTokens)) {
    const auto batch = train::pack(examples, group, model().device());
    const at::Tensor values = values_of(model().hidden(batch.ids, batch.packing, batch.rows)).cpu();
    const float* next = values.const_data_ptr<float>();
    for (std::size_t index : group) {
      rollouts[index].values.assign(next, next + rollouts[index].tokens());
      next += rollouts[index].tokens();
    }
  }
}

void PpoObjective::find_advantages(std::vector<Rollout>& rollouts) const {
  std::vector<std::vector<double>> rewards, advantages;
  for (const auto& one : rollouts)
    rewards.push_back(train::token_rewards(one.old, one.reference, one.score, ppo_.kl_coef, ppo_.kl_estimator == "k3"));
  if (ppo_.whiten_rewards) train::whiten(rewards, false);
  for (std::size_t i = 0; i < rollouts.size(); ++i) {
    auto found = train::gae(rewards[i], rollouts[i].values, ppo_.gamma, ppo_.lam);
    rollouts[i].returns = narrowed(found.returns);
    advantages.push_back(std::move(found.advantages));
  }
  train::whiten(advantages, true);
  for (std::size_t i = 0; i < rollouts.size(); ++i) rollouts[i].advantages = narrowed(advantages[i]);
}

// The rollouts in an order drawn for every pass, cut into num_mini_batches.
std::vector<std::size_t> PpoObjective::mini_batch(std::int64_t round, std::int64_t step) const {
  auto order = all_of(rollouts().size());
  Rng(static_cast<std::uint64_t>(seed_), "ppo order")
      .child(static_cast<std::uint64_t>(round))
      .child(static_cast<std::uint64_t>(step / ppo_.num_mini_batches))
      .shuffle(order);
  const auto parts = static_cast<std::size_t>(ppo_.num_mini_batches);
  const auto split = in_parts(order, (order.size() + parts - 1) / parts);
  // The last round of an epoch may hold fewer completions than there are parts.
  return split[static_cast<std::size_t>(step % ppo_.num_mini_batches) % split.size()];
}

train::StepOutcome PpoObjective::learn(std::int64_t round, std::int64_t step, const std::function<void()>& collect) {
  const auto batch = mini_batch(round, step);
  std::int64_t total = 0;
  for (std::size_t index : batch) total += rollouts()[index].tokens();
  Sums sums;
  for (const auto& which : in_parts(batch, static_cast<std::size_t>(micro_batch_))) {
    backward(which, 1.0 / static_cast<double>(total), sums);
    collect();
  }
  const auto tokens = static_cast<double>(sums.completion_tokens);
  if (step == 0) note_difference(sums.difference / tokens);
  return {sums.policy + ppo_.vf_coef * sums.value,
          sums.tokens,
          {{"entropy", sums.entropy / tokens},
           {"policy/approxkl_avg", sums.approx_kl / tokens},
           {"policy/clipfrac_avg", sums.clipped / tokens},
           {"loss/policy_avg", sums.policy},
           {"loss/value_avg", sums.value},
           {"val/clipfrac_avg", sums.value_clipped / tokens},
           {"val/ratio", sums.ratio / tokens}},
          // The round's, at its first step: further passes bring nothing new.
          step == 0 ? static_cast<std::int64_t>(rollouts().size()) : 0};
}

void PpoObjective::backward(const std::vector<std::size_t>& which, double share, Sums& sums) {
  at::AutoGradMode grad_on(true);
  const at::Device device = model().device();
  const TokenBatch batch = token_batch(rollouts(), which, device);
  train::TokenPass pass(model(), batch.packed);
  const at::Tensor weights = at::full_like(batch.old, share);
  const auto policy = train::ppo_policy_loss(pass.logprobs(), batch.old, batch.advantages, weights, ppo_.cliprange);
  const auto value =
      train::ppo_value_loss(values_of(pass.hidden()), batch.values, batch.returns, weights, ppo_.cliprange_value);
  pass.backward(policy.loss, value.loss * ppo_.vf_coef);
  const at::Tensor moved = pass.logprobs().detach() - batch.old;
  sums.policy += policy.loss.item<double>();
  sums.value += value.loss.item<double>();
  sums.entropy += pass.entropy().sum(at::kDouble).item<double>();
  sums.approx_kl += 0.5 * moved.square().sum(at::kDouble).item<double>();
  sums.clipped += policy.clipped.sum().item<double>();
  sums.value_clipped += value.clipped.sum().item<double>();
  sums.ratio += policy.ratio.sum(at::kDouble).item<double>();
  sums.difference += moved.abs().sum(at::kDouble).item<double>();
  sums.completion_tokens += batch.packed.supervised;
  sums.tokens += batch.packed.tokens;
}

train::TrainResult train_ppo(gen::LocalModel& model, std::vector<RlPrompt> prompts, Reward& reward,
                             const train::TrainOptions& options, const RolloutOptions& rollouts, const PpoOptions& ppo,
                             const std::filesystem::path& output_dir, const train::TrainHooks& hooks) {
  RolloutMaker maker(model, std::move(prompts), reward, rollouts, options.seed, true);
  if (!output_dir.empty()) maker.log_to(output_dir / kCompletionsFile);
  PpoObjective objective(maker, options, ppo);
  return train::train(model.transformer(), objective, options, output_dir, hooks);
}

}  // namespace reveille::safety
