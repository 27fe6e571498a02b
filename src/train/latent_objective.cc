#include "train/latent_objective.h"

#include <ATen/ATen.h>

#include "base/error.h"
#include "base/hash.h"
#include "base/strings.h"
#include "train/pair_batches.h"

namespace reveille::train {
namespace {

std::vector<Example> chosen_of(const std::vector<Example>& sides) {
  std::vector<Example> out;
  for (std::size_t i = 0; i < sides.size(); i += 2) out.push_back(sides[i]);
  return out;
}

}  // namespace

// Means over the micro-batches of a step.
struct LatentObjective::Sums {
  double safe = 0, away = 0, sft = 0, before = 0, after = 0;
  std::int64_t tokens = 0, pairs = 0;
};

LatentObjective::LatentObjective(nn::Transformer& model, std::vector<Pair> pairs, std::vector<Example> clean,
                                 const TrainOptions& options, const LatentOptions& latent)
    : model_(model),
      latent_(latent),
      layers_(latent_layers(latent, model.config().layers)),
      sides_(sides_of(std::move(pairs))),
      clean_(clean.empty() ? chosen_of(sides_) : std::move(clean)),
      batches_(sides_.size() / 2, options.per_device_train_batch_size, options.gradient_accumulation_steps,
               options.seed),
      clean_batches_(clean_.size(), options.per_device_train_batch_size, options.gradient_accumulation_steps,
                     options.seed + 1) {
  if (sides_.empty()) fail(ErrorKind::bad_input, "there are no pairs to learn from");
}

std::string LatentObjective::key() const {
  LatentOptions options = latent_;
  return sha256_hex("latent" + options_to_json(options).dump() + examples_key(sides_) + examples_key(clean_));
}

StepOutcome LatentObjective::step(std::int64_t step, const std::function<void()>& collect) {
  Sums sums;
  const auto micro_batches = batches_.of_step(step - 1);
  for (const auto& pairs : micro_batches)
    learn_pairs(pairs, 1.0 / static_cast<double>(micro_batches.size()), collect, sums);
  const auto clean = clean_batches_.of_step(step - 1);
  for (const auto& rows : clean) learn_clean(rows, 1.0 / static_cast<double>(clean.size()), collect, sums);
  StepOutcome out{sums.safe + latent_.away * sums.away + latent_.sft * sums.sft, sums.tokens, {}};
  out.metrics = {{"losses/safe", sums.safe},
                 {"losses/away", sums.away},
                 {"losses/sft", sums.sft},
                 {"latent/harmful_before", sums.before},
                 {"latent/harmful_after", sums.after}};
  out.rows = sums.pairs;  // clean rows are there to keep the model as it is, and count for nothing
  note_ = cat("loss ", fixed(out.loss, 3), "  attack ", fixed(sums.before, 2), " to ", fixed(sums.after, 2));
  return out;
}

void LatentObjective::learn_pairs(const std::vector<std::size_t>& which, double share,
                                  const std::function<void()>& collect, Sums& sums) {
  const LatentPairs pairs = latent_pairs(sides_, which, model_.device());
  const LatentAttack attack = attack_latents(model_, pairs, layers_, latent_);
  sums.pairs += static_cast<std::int64_t>(which.size());
  sums.before += share * attack.before;
  sums.after += share * attack.after;
  at::AutoGradMode grad_on(true);
  TokenPass safe(model_, pairs.chosen.batch, attack.found.hook(pairs.chosen));
  const at::Tensor loss = toward(safe.logprobs());
  safe.backward(loss * share);
  collect();
  sums.safe += share * loss.item<double>();
  sums.tokens += pairs.chosen.batch.tokens;
  if (latent_.away <= 0) return;
  TokenPass harmful(model_, pairs.rejected.batch, attack.found.hook(pairs.rejected));
  const at::Tensor away = away_from(harmful.logprobs());
  harmful.backward(away * (share * latent_.away));
  collect();
  sums.away += share * away.item<double>();
  sums.tokens += pairs.rejected.batch.tokens;
}

void LatentObjective::learn_clean(const std::vector<std::size_t>& which, double share,
                                  const std::function<void()>& collect, Sums& sums) {
  if (latent_.sft <= 0) return;
  const auto batch = pack(clean_, which, model_.device());
  if (batch.supervised == 0) return;
  TokenPass pass(model_, batch);
  const at::Tensor loss = toward(pass.logprobs());
  pass.backward(loss * (share * latent_.sft));
  collect();
  sums.sft += share * loss.item<double>();
  sums.tokens += batch.tokens;
}

}  // namespace reveille::train
