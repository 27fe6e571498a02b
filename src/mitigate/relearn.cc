#include "mitigate/relearn.h"

#include "base/error.h"
#include "gen/save.h"
#include "scan/placing.h"
#include "train/lora.h"
#include "train/rows.h"
#include "train/sft.h"

namespace reveille::mitigate {
namespace {

train::TrainOptions training_of(const RelearnOptions& options) {
  train::TrainOptions out;
  out.per_device_train_batch_size = options.batch;
  out.learning_rate = options.learning_rate;
  out.lr_scheduler_type = "constant";
  out.max_steps = options.steps;
  out.overlong = "drop";
  out.report_to = "none";
  out.seed = options.seed;
  out.use_peft = options.rank > 0;
  if (options.rank > 0) out.lora_r = options.rank;
  out.lora_alpha = 2 * static_cast<double>(options.rank);
  return out;
}

void merge(gen::LocalModel& model) {
  if (!model.adapter()) return;
  gen::merge_lora(model);
  model.transformer().weights_changed();
}

}  // namespace

Relearnt relearn(const gen::LocalModel& treated, const std::vector<scan::CleanRow>& rows, const RelearnOptions& options,
                 const std::string& title) {
  const auto training = training_of(options);
  Relearnt out{treated.copy(training.use_peft), {}};  // weights that are trained are the copy's own
  merge(*out.model);
  if (options.steps == 0) return out;
  std::vector<train::Example> examples;
  for (const auto& row : rows)
    examples.push_back(
        scan::encode_answered(*out.model, {{"user", row.prompt}}, row.reply, row.finished, "benign row"));
  examples = train::keep_fitting(std::move(examples), training, treated.transformer().config().max_positions);
  if (training.use_peft) out.model->add_lora(train::peft_config(training, treated.source()), options.seed);
  train::TrainHooks hooks;
  hooks.title = title;
  for (const auto& step : train::train(out.model->transformer(), examples, training, {}, hooks).history)
    out.losses.push_back(step.loss);
  merge(*out.model);
  return out;
}

}  // namespace reveille::mitigate
