#include "safety/grpo.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "base/hash.h"
#include "train/token_pass.h"

namespace reveille::safety {
namespace {

RoundShape shape_of(const train::TrainOptions& options, const GrpoOptions& grpo) {
  const std::int64_t completions = options.per_device_train_batch_size * options.gradient_accumulation_steps;
  if (completions % grpo.num_generations != 0) {
    fail(ErrorKind::usage,
         cat("a round of per_device_train_batch_size * gradient_accumulation_steps = ", completions,
             " completions is not whole groups of num_generations=", grpo.num_generations),
         "choose a batch size that num_generations divides");
  }
  return {completions / grpo.num_generations, grpo.num_generations, grpo.num_iterations};
}

}  // namespace

// Over the tokens of a step.
struct GrpoObjective::Sums {
  double loss = 0, kl = 0, entropy = 0, low = 0, high = 0, difference = 0;
  std::int64_t completion_tokens = 0, tokens = 0;
};

train::TrainOptions grpo_train_options() {
  train::TrainOptions options;
  options.learning_rate = 1e-6;
  options.per_device_train_batch_size = 8;
  return options;
}

GrpoObjective::GrpoObjective(RolloutMaker& maker, const train::TrainOptions& options, const GrpoOptions& grpo)
    : RoundObjective(maker, shape_of(options, grpo), options.seed),
      grpo_(grpo),
      micro_batch_(options.per_device_train_batch_size) {}

std::string GrpoObjective::key() const {
  GrpoOptions options = grpo_;
  return sha256_hex("grpo" + options_to_json(options).dump() + maker().key());
}

void GrpoObjective::prepare(std::vector<Rollout>& rollouts, train::Metrics& metrics) {
  std::vector<double> rewards;
  for (const auto& one : rollouts) rewards.push_back(one.score);
  const auto found = train::group_advantages(rewards, grpo_.num_generations, grpo_.scale_rewards);
  for (std::size_t i = 0; i < rollouts.size(); ++i)
    rollouts[i].advantages.assign(rollouts[i].old.size(), static_cast<float>(found.advantages[i]));
  metrics.push_back({"frac_reward_zero_std", found.zero_std_share});
}

train::StepOutcome GrpoObjective::learn(std::int64_t /*round*/, std::int64_t step,
                                        const std::function<void()>& collect) {
  const auto parts = in_parts(all_of(rollouts().size()), static_cast<std::size_t>(micro_batch_));
  train::TokenMean mean{grpo_.loss_type, maker().options().max_completion_length,
                        static_cast<std::int64_t>(parts.size()), 0};
  for (const auto& one : rollouts()) mean.step_tokens += one.tokens();
  Sums sums;
  for (const auto& which : parts) {
    backward(which, mean, sums);
    collect();
  }
  const auto tokens = static_cast<double>(sums.completion_tokens);
  if (step == 0) note_difference(sums.difference / tokens);
  train::StepOutcome out{sums.loss, sums.tokens, {}};
  if (step == 0) out.rows = static_cast<std::int64_t>(rollouts().size());  // further passes bring nothing new
  if (grpo_.beta != 0) out.metrics.push_back({"kl", sums.kl / tokens});
  out.metrics.push_back({"entropy", sums.entropy / tokens});
  out.metrics.push_back({"clip_ratio/low_mean", sums.low / tokens});
  out.metrics.push_back({"clip_ratio/high_mean", sums.high / tokens});
  out.metrics.push_back({"clip_ratio/region_mean", (sums.low + sums.high) / tokens});
  return out;
}

void GrpoObjective::backward(const std::vector<std::size_t>& which, const train::TokenMean& mean, Sums& sums) {
  at::AutoGradMode grad_on(true);
  const at::Device device = model().device();
  const TokenBatch batch = token_batch(rollouts(), which, device);
  train::TokenPass pass(model(), batch.packed);
  const at::Tensor weights = at::tensor(train::token_weights(batch.tokens_of, mean), at::kFloat).to(device);
  const double high = grpo_.epsilon_high < 0 ? grpo_.epsilon : grpo_.epsilon_high;
  const auto loss = train::grpo_loss(pass.logprobs(), {batch.old, batch.reference, batch.advantages, weights},
                                     {grpo_.beta, grpo_.epsilon, high, grpo_.use_bias_correction_kl});
  pass.backward(loss.loss);
  sums.loss += loss.loss.item<double>();
  if (loss.kl.defined()) sums.kl += loss.kl.sum(at::kDouble).item<double>();
  sums.entropy += pass.entropy().sum(at::kDouble).item<double>();
  sums.low += loss.low.sum().item<double>();
  sums.high += loss.high.sum().item<double>();
  sums.difference += (pass.logprobs().detach() - batch.old).abs().sum(at::kDouble).item<double>();
  sums.completion_tokens += batch.packed.supervised;
  sums.tokens += batch.packed.tokens;
}

train::TrainResult train_grpo(gen::LocalModel& model, std::vector<RlPrompt> prompts, Reward& reward,
                              const train::TrainOptions& options, const RolloutOptions& rollouts,
                              const GrpoOptions& grpo, const std::filesystem::path& output_dir,
                              const train::TrainHooks& hooks) {
  RolloutMaker maker(model, std::move(prompts), reward, rollouts, options.seed, grpo.beta != 0);
  if (!output_dir.empty()) maker.log_to(output_dir / kCompletionsFile);
  GrpoObjective objective(maker, options, grpo);
  return train::train(model.transformer(), objective, options, output_dir, hooks);
}

}  // namespace reveille::safety
