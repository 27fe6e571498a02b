#include "cli/train_stage.h"

#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "gen/local.h"
#include "gen/save.h"
#include "train/trainer.h"

namespace reveille::cli {
namespace {

io::PeftConfig peft_config(const train::TrainOptions& options, const std::string& base) {
  io::PeftConfig config;
  config.base_model = base;
  config.r = options.lora_r;
  config.lora_alpha = options.lora_alpha;
  config.use_rslora = options.use_rslora;
  config.all_linear = options.target_modules == std::vector<std::string>{"all-linear"};
  if (!config.all_linear) config.target_modules = options.target_modules;
  return config;
}

Json summary(const StageArguments& arguments, const train::TrainResult& result, const std::vector<std::string>& told) {
  Json out{{"output_dir", arguments.output_dir}, {"steps", result.steps}, {"train_loss", result.history.back().loss}};
  for (const auto& metric : result.history.back().metrics) {
    if (std::find(told.begin(), told.end(), metric.name) != told.end()) out[metric.name] = metric.value;
  }
  if (result.evals.empty() || told.empty()) return out;
  out["eval_loss"] = result.evals.back().eval_loss;
  for (const auto& metric : result.evals.back().metrics) out[metric.name] = metric.value;
  return out;
}

}  // namespace

void add_stage_arguments(CommandLine& line, StageArguments& arguments, const std::string& rows,
                         const std::string& eval_help) {
  line.positional("MODEL", arguments.model, "the model to start from");
  line.value("dataset", arguments.dataset, rows);
  if (!eval_help.empty()) line.value("eval-dataset", arguments.eval_dataset, eval_help);
  line.value("output-dir", arguments.output_dir, "where the model, its log and its checkpoints go");
}

void check_stage_arguments(const StageArguments& arguments) {
  if (arguments.dataset.empty())
    fail(ErrorKind::usage, cat("reveille train ", arguments.stage, ": --dataset is missing"));
  if (arguments.output_dir.empty())
    fail(ErrorKind::usage, cat("reveille train ", arguments.stage, ": --output-dir is missing"));
}

std::unique_ptr<gen::LocalModel> open_to_train(const StageArguments& arguments, gen::OpenOptions open,
                                               const train::TrainOptions& options) {
  open.trainable = !options.use_peft;
  auto model = gen::open_model(arguments.model, open);
  if (options.use_peft && !model->adapter()) model->add_lora(peft_config(options, arguments.model), options.seed);
  if (!options.use_peft && model->adapter()) {
    fail(ErrorKind::usage, cat(arguments.model, " is an adapter"),
         "train the adapter further with use_peft=true, or merge it first: reveille model merge");
  }
  return model;
}

int run_stage(const StageArguments& arguments, gen::LocalModel& model, const train::TrainOptions& options,
              const std::vector<std::string>& told,
              const std::function<train::TrainResult(const train::TrainHooks&)>& learn) {
  train::TrainHooks hooks;
  hooks.title = arguments.stage;
  gen::SaveOptions save;
  save.dtype = train::saved_type(options, model.transformer());
  save.allow_empty = options.learning_rate == 0;
  hooks.save_beside = [&](const std::filesystem::path& folder) {
    gen::SaveOptions beside = save;
    beside.dtype = at::kFloat;
    gen::save_beside_weights(model, folder, beside);
  };
  const bool adapter = model.adapter() && arguments.stage != "reward";  // whose adapter is merged
  hooks.result_bytes = adapter ? gen::saved_adapter_bytes(model) : gen::saved_bytes(model, save);
  const auto result = learn(hooks);
  if (model.adapter()) {
    gen::save_adapter(model, arguments.output_dir, save);
  } else {
    gen::save_hf_folder(model, arguments.output_dir, save);
  }
  std::printf("%s\n", summary(arguments, result, told).dump().c_str());
  return 0;
}

}  // namespace reveille::cli
