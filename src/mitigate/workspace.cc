#include "mitigate/workspace.h"

#include <ATen/ATen.h>

#include <algorithm>

#include "base/error.h"
#include "gen/save.h"
#include "scan/placing.h"
#include "train/lora.h"
#include "train/sft.h"

namespace reveille::mitigate {
namespace {

bool fits(const gen::LocalModel& model, const train::Example& example) {
  return static_cast<std::int64_t>(example.ids.size()) <= model.transformer().config().max_positions;
}

train::Example clean_example(const gen::LocalModel& model, const scan::CleanRow& row) {
  return scan::encode_answered(model, {{"user", row.prompt}}, row.reply, row.finished, "clean row");
}

// Those that fit; `row_of` gets which rows they are.
std::vector<train::Example> clean_examples(const gen::LocalModel& model, const std::vector<scan::CleanRow>& rows,
                                           std::vector<std::size_t>& row_of) {
  std::vector<train::Example> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto example = clean_example(model, rows[i]);
    if (!fits(model, example)) continue;
    out.push_back(std::move(example));
    row_of.push_back(i);
  }
  if (out.empty())
    fail(ErrorKind::bad_input, cat("none of ", rows.size(), " clean rows fits into the context of ", model.name()));
  return out;
}

}  // namespace

Workspace::Workspace(gen::LocalModel& model, const gen::LocalModel* base, const Problem& problem,
                     const scan::CleanRows& rows, const MitigateOptions& options)
    : model_(model),
      base_(base),
      problem_(problem),
      rows_(rows),
      options_(options),
      examples_(clean_examples(model, rows.train, row_of_)),
      anchor_(model.transformer(), examples_) {
  for (std::size_t i = 0; i < examples_.size(); ++i) clean_.add(anchor_, examples_[i], i);
}

AnchoredRows Workspace::with_strings(const std::vector<KnownTrigger>& strings, std::size_t shift) const {
  AnchoredRows out;
  for (std::size_t i = 0; i < examples_.size(); ++i) {
    const auto& row = rows_.train[row_of_[i]];
    const KnownTrigger& string = strings[(i + shift) % strings.size()];
    auto example = scan::encode_answered(model_, scan::placed(row.prompt, string.text, string.place), row.reply,
                                         row.finished, "row with a string");
    if (fits(model_, example)) out.add(anchor_, std::move(example), i);
  }
  return out;
}

gen::LocalModel& Workspace::adapted() {
  if (!model_.adapter()) {
    train::TrainOptions lora;
    lora.lora_r = options_.rank;
    lora.lora_alpha = 2 * static_cast<double>(options_.rank);
    model_.add_lora(train::peft_config(lora, model_.source()), options_.seed);
  }
  return model_;
}

gen::LocalModel& Workspace::merged() {
  if (model_.adapter()) {
    gen::merge_lora(model_);
    model_.transformer().weights_changed();
  }
  return model_;
}

train::TrainOptions Workspace::training(std::int64_t steps, double learning_rate) const {
  constexpr std::int64_t kWarmup = 5;
  train::TrainOptions out;
  out.per_device_train_batch_size = options_.batch;
  out.learning_rate = learning_rate;
  out.max_steps = steps;
  out.warmup_steps = std::min(kWarmup, steps - 1);
  out.report_to = "none";
  out.seed = options_.seed;
  out.use_peft = true;
  return out;
}

Json Workspace::train(train::Objective& objective, const train::TrainOptions& options, const std::string& title) {
  train::TrainHooks hooks;
  hooks.title = title;
  return course_of(train::train(adapted().transformer(), objective, options, {}, hooks));
}

Json Workspace::train_clean(std::int64_t steps, double learning_rate, const std::string& title) {
  const auto options = training(steps, learning_rate);
  adapted();
  train::SftObjective objective(model_.transformer(), clean_.examples, options);
  return train(objective, options, title);
}

Json Workspace::recover() {
  if (options_.recover_steps == 0) return nullptr;
  return train_clean(options_.recover_steps, options_.recover_learning_rate, "recovering");
}

Json course_of(const train::TrainResult& result) {
  Json out{{"steps", result.steps}, {"loss", Json::array()}};
  for (const auto& step : result.history) {
    out["loss"].push_back(step.loss);
    for (const auto& metric : step.metrics) out[metric.name].push_back(metric.value);
  }
  return out;
}

void edit_weight(gen::LocalModel& model, const std::string& parameter,
                 const std::function<at::Tensor(const at::Tensor& weight)>& edit) {
  at::NoGradGuard no_grad;
  auto& param = model.transformer().params().at(parameter);
  const at::Tensor& whole = param.master.defined() ? param.master : param.value;
  const at::Tensor edited = edit(whole.detach().to(at::kFloat)).contiguous();
  if (param.master.defined()) param.master = edited;
  param.value = edited.to(param.value.scalar_type());
  model.transformer().weights_changed();
}

}  // namespace reveille::mitigate
