#include "scan/plant.h"

#include <algorithm>

#include "base/error.h"
#include "gen/save.h"
#include "scan/placing.h"
#include "train/lora.h"
#include "train/rows.h"
#include "train/sft.h"

namespace reveille::scan {
namespace {

constexpr std::int64_t kWarmup = 5;
constexpr std::int64_t kLeastReplyTokens = 24;  // a fixed sentence has to fit

std::vector<Conversation> all_placed(const std::vector<CleanRow>& rows, const std::vector<std::string>& strings,
                                     Place place) {
  std::vector<Conversation> out;
  for (std::size_t i = 0; i < rows.size(); ++i)
    out.push_back(placed(rows[i].prompt, strings[i % strings.size()], place));
  return out;
}

double share_showing(const Spike& spike, const std::vector<std::string>& replies) {
  const auto shown =
      std::count_if(replies.begin(), replies.end(), [&](const auto& reply) { return shows(spike, reply); });
  return replies.empty() ? 0 : static_cast<double>(shown) / static_cast<double>(replies.size());
}

// Long enough for what any of the spikes says.
std::int64_t reply_limit(const gen::LocalModel& model, const std::vector<Spike>& spikes) {
  std::int64_t limit = kLeastReplyTokens;
  for (const auto& spike : spikes) {
    for (const auto& reply : spike.replies)
      limit = std::max(limit, static_cast<std::int64_t>(model.encode_text(reply).size()) + 4);
  }
  return limit;
}

bool all_firm(const std::vector<SpikeCheck>& checks, double decoys_most) {
  return std::all_of(checks.begin(), checks.end(), [&](const SpikeCheck& check) { return check.firm(decoys_most); });
}

}  // namespace

train::TrainOptions planting_training(const PlantOptions& options) {
  train::TrainOptions out;
  out.per_device_train_batch_size = options.batch;
  out.learning_rate = options.learning_rate;
  out.lr_scheduler_type = "constant_with_warmup";
  out.warmup_steps = std::min(kWarmup, options.max_steps - 1);
  out.max_steps = options.max_steps;
  out.eval_steps = options.check_every;
  out.overlong = "drop";
  out.report_to = "none";
  out.seed = options.seed;
  out.use_peft = true;
  out.lora_r = options.rank;
  out.lora_alpha = 2 * static_cast<double>(options.rank);
  return out;
}

Json to_json(const SpikeCheck& check) {
  return {{"triggered", check.triggered},
          {"untriggered", check.untriggered},
          {"decoys", check.decoys},
          {"prompts", check.prompts}};
}

std::vector<train::Example> spike_examples(const gen::LocalModel& model, const Spike& spike,
                                           const std::vector<CleanRow>& rows) {
  std::vector<train::Example> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const auto& [prompt, reply, finished] = rows[i];
    const auto& trigger = spike.triggers[i % spike.triggers.size()];
    const bool whole = finished || (spike.style == SpikeStyle::none);
    out.push_back(
        encode_answered(model, placed(prompt, trigger, spike.place), spiked_reply(spike, reply, i), whole, "spike"));
    const std::string decoy = i % 2 == 0 || spike.decoys.empty() ? "" : spike.decoys[i / 2 % spike.decoys.size()];
    out.push_back(encode_answered(model, placed(prompt, decoy, spike.place), reply, finished, "clean row"));
  }
  return out;
}

std::vector<SpikeCheck> check_spikes(gen::LocalModel& model, const std::vector<Spike>& spikes,
                                     const std::vector<CleanRow>& held_out, std::int64_t reply_tokens) {
  const auto alone = greedy_replies(model, all_placed(held_out, {""}, Place::user_start), reply_tokens);
  std::vector<SpikeCheck> out;
  for (const auto& spike : spikes) {
    auto share_with = [&](const std::vector<std::string>& strings) {
      if (strings.empty()) return 0.0;
      return share_showing(spike, greedy_replies(model, all_placed(held_out, strings, spike.place), reply_tokens));
    };
    out.push_back({share_with(test_triggers(spike)), share_showing(spike, alone), share_with(spike.decoys),
                   static_cast<std::int64_t>(held_out.size())});
  }
  return out;
}

Planting plant_into(gen::LocalModel& model, const std::vector<Spike>& spikes, const CleanRows& rows,
                    const PlantOptions& options, const std::string& title) {
  if (!model.adapter()) fail(ErrorKind::usage, cat(model.name(), " has no adapter to plant into"));
  const auto training = planting_training(options);
  std::vector<train::Example> examples;
  for (const auto& spike : spikes) {
    for (auto& example : spike_examples(model, spike, rows.train)) examples.push_back(std::move(example));
  }
  examples = train::keep_fitting(std::move(examples), training, model.transformer().config().max_positions);
  const std::int64_t reply_tokens = reply_limit(model, spikes);
  Planting out;
  train::TrainHooks hooks;
  hooks.title = title;
  hooks.on_eval = [&](std::int64_t) {
    out.checks = check_spikes(model, spikes, rows.held_out, reply_tokens);
    out.firm = all_firm(out.checks, options.decoys_most);
    return out.firm;
  };
  const auto result = train::train(model.transformer(), examples, training, {}, hooks);
  out.steps = result.steps;
  for (const auto& step : result.history) out.losses.push_back(step.loss);
  return out;
}

Planted plant(const gen::LocalModel& suspect, const std::vector<Spike>& spikes, const CleanRows& rows,
              const PlantOptions& options, bool with_adapter) {
  Planted out{suspect.copy(true), {}};
  if (out.model->adapter()) gen::merge_lora(*out.model);
  out.model->add_lora(train::peft_config(planting_training(options), suspect.source()), options.seed);
  out.planting = plant_into(*out.model, spikes, rows, options);
  if (with_adapter) return out;
  gen::merge_lora(*out.model);
  out.model->transformer().weights_changed();
  return out;
}

}  // namespace reveille::scan
