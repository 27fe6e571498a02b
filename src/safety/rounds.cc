#include "safety/rounds.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::safety {
namespace {

at::Tensor end_to_end(const std::vector<Rollout>& rollouts, const std::vector<std::size_t>& which,
                      std::vector<float> Rollout::*member, at::Device device) {
  std::vector<float> all;
  for (std::size_t index : which) {
    const auto& values = rollouts[index].*member;
    all.insert(all.end(), values.begin(), values.end());
  }
  return all.empty() ? at::Tensor() : at::tensor(all, at::kFloat).to(device);
}

}  // namespace

TokenBatch token_batch(const std::vector<Rollout>& rollouts, const std::vector<std::size_t>& which, at::Device device) {
  std::vector<train::Example> examples;
  TokenBatch out;
  for (std::size_t index : which) {
    examples.push_back(rollouts[index].example);
    out.tokens_of.push_back(rollouts[index].tokens());
  }
  out.packed = train::pack(examples, all_of(examples.size()), device);
  out.old = end_to_end(rollouts, which, &Rollout::old, device);
  out.reference = end_to_end(rollouts, which, &Rollout::reference, device);
  out.values = end_to_end(rollouts, which, &Rollout::values, device);
  out.advantages = end_to_end(rollouts, which, &Rollout::advantages, device);
  out.returns = end_to_end(rollouts, which, &Rollout::returns, device);
  return out;
}

RoundObjective::RoundObjective(RolloutMaker& maker, const RoundShape& shape, std::int64_t seed)
    : maker_(maker), shape_(shape), batches_(maker.prompts().size(), shape.prompts, 1, seed) {}

void RoundObjective::begin_round(std::int64_t round) {
  auto rollouts = maker_.make(batches_.of_step(round).front(), shape_.each, round);
  train::Metrics metrics = completion_metrics(rollouts, maker_.reward().name());
  prepare(rollouts, metrics);
  rollouts_ = std::move(rollouts);
  round_metrics_ = std::move(metrics);
  round_ = round;
}

train::StepOutcome RoundObjective::step(std::int64_t step, const std::function<void()>& collect) {
  const std::int64_t round = (step - 1) / shape_.steps, within = (step - 1) % shape_.steps;
  if (round != round_) begin_round(round);
  train::StepOutcome out = learn(round, within, collect);
  steps_done_ = step;
  train::Metrics own = std::move(out.metrics);
  out.metrics = round_metrics_;
  out.metrics.insert(out.metrics.end(), own.begin(), own.end());
  out.metrics.push_back({"sampling/sampling_logp_difference/mean", difference_});
  flags_.look(step, out.metrics);
  note_ = cat("reward ", fixed(train::value_of(out.metrics, "reward"), 3), "  kl ",
              fixed(train::value_of(out.metrics, "kl"), 3));
  return out;
}

// No completions where the next step begins a round: that one is made anew from the weights.
Json RoundObjective::state() const {
  Json out{{"red_flags", flags_.state()}};
  if (round_ < 0 || steps_done_ % shape_.steps == 0) return out;
  Json metrics = Json::object();
  for (const auto& metric : round_metrics_) metrics[metric.name] = metric.value;
  out["round"] = round_;
  out["difference"] = difference_;
  out["metrics"] = std::move(metrics);
  out["rollouts"] = to_json(rollouts_);
  return out;
}

void RoundObjective::restore(const Json& state) {
  if (state.is_null()) return;  // of a program that kept no red flags
  const std::string where = "objective.json of the checkpoint";
  if (!state.is_object()) fail(ErrorKind::bad_input, cat(where, ": expected an object, found ", state.type_name()));
  if (state.contains("red_flags")) flags_.restore(state["red_flags"], where + ": red_flags");
  if (!state.contains("round") && !state.contains("rollouts")) return;
  auto rollouts = rollouts_from_json(json_at(state, "rollouts", where), where + ": rollouts");
  for (const auto& one : rollouts) refuse_strange_ids(one, where);
  const Json& metrics = json_at(state, "metrics", where);
  if (!metrics.is_object())
    fail(ErrorKind::bad_input, cat(where, ": key 'metrics' should be an object, found ", metrics.type_name()));
  round_ = json_integer(state, "round", where);
  difference_ = json_number(state, "difference", where);
  round_metrics_.clear();
  for (const auto& item : metrics.items())
    round_metrics_.push_back({item.key(), json_number(metrics, item.key(), where + ": metrics")});
  rollouts_ = std::move(rollouts);
}

void RoundObjective::refuse_strange_ids(const Rollout& one, const std::string& where) {
  const auto vocab = static_cast<std::int32_t>(model().config().vocab_size);
  for (std::int32_t id : one.example.ids) {
    if (id >= 0 && id < vocab) continue;
    fail(ErrorKind::bad_input, cat(where, ": the id ", id, " is none of this model's ", vocab),
         "remove that checkpoint: the run then goes on from the one before");
  }
}

train::Metrics completion_metrics(const std::vector<Rollout>& rollouts, const std::string& reward) {
  const auto n = static_cast<double>(rollouts.size());
  double sum = 0, tokens = 0, cut = 0, squares = 0;
  std::int64_t least = rollouts.front().tokens(), most = 0;
  for (const auto& one : rollouts) {
    sum += one.score;
    tokens += static_cast<double>(one.tokens());
    cut += one.stopped ? 0 : 1;
    least = std::min(least, one.tokens());
    most = std::max(most, one.tokens());
  }
  for (const auto& one : rollouts) squares += (one.score - sum / n) * (one.score - sum / n);
  const double deviation = n > 1 ? std::sqrt(squares / (n - 1)) : 0;
  return {{"reward", sum / n},
          {"reward_std", deviation},
          {"rewards/" + reward + "/mean", sum / n},
          {"rewards/" + reward + "/std", deviation},
          {"completions/mean_length", tokens / n},
          {"completions/min_length", static_cast<double>(least)},
          {"completions/max_length", static_cast<double>(most)},
          {"completions/clipped_ratio", cut / n}};
}

std::vector<std::size_t> all_of(std::size_t count) {
  std::vector<std::size_t> out(count);
  std::iota(out.begin(), out.end(), std::size_t{0});
  return out;
}

std::vector<std::vector<std::size_t>> in_parts(const std::vector<std::size_t>& items, std::size_t size) {
  std::vector<std::vector<std::size_t>> out;
  for (std::size_t first = 0; first < items.size(); first += size) {
    const std::size_t end = std::min(items.size(), first + size);
    out.emplace_back(items.begin() + static_cast<std::ptrdiff_t>(first),
                     items.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return out;
}

}  // namespace reveille::safety
