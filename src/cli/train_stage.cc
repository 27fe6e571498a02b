#include "cli/train_stage.h"

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/strings.h"
#include "gen/local.h"
#include "gen/save.h"
#include "io/jsonl.h"
#include "train/lora.h"
#include "train/trainer.h"

namespace reveille::cli {
namespace {

// Whether these target_modules are the layers that the model's adapter has, in whatever order and however named.
bool selects_its_layers(const io::PeftConfig& asked, const nn::Params& params) {
  std::vector<std::string> unused = asked.target_modules;
  for (const auto& [name, pieces] : params.lora) {
    for (const auto& piece : pieces) {
      if (!asked.targets(piece.hf_module)) return false;
      std::erase_if(unused, [&](const std::string& target) {
        return io::PeftConfig{.target_modules = {target}}.targets(piece.hf_module);
      });
    }
  }
  return unused.empty();
}

// An adapter that is trained further keeps its shape: settings that ask for another are not passed over. (A default
// that was typed out is not told from one that was not.)
void check_shape(const std::string& name, const train::TrainOptions& options, const gen::LocalModel& model) {
  const train::TrainOptions usual;
  const io::PeftConfig asked = train::peft_config(options, name);
  const io::PeftConfig& adapter = *model.adapter();
  std::vector<std::string> wrong;
  if (options.lora_r != usual.lora_r && asked.r != adapter.r) wrong.push_back(cat("lora_r=", asked.r));
  if (options.lora_alpha != usual.lora_alpha && asked.lora_alpha != adapter.lora_alpha)
    wrong.push_back(cat("lora_alpha=", asked.lora_alpha));
  if (options.use_rslora && !adapter.use_rslora) wrong.emplace_back("use_rslora=true");
  if (options.target_modules != usual.target_modules && !selects_its_layers(asked, model.transformer().params()))
    wrong.push_back(cat("target_modules=", join(asked.target_modules, ",")));
  if (wrong.empty()) return;
  fail(ErrorKind::usage,
       cat(join(wrong, " "), " does not fit ", name, ", an adapter of rank ", adapter.r, " and alpha ",
           adapter.lora_alpha, adapter.use_rslora ? " with" : " without", " rslora that is trained further"),
       "leave it out, or merge the adapter first (reveille model merge) and train a new one");
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
    fail(ErrorKind::usage, cat("reveille train ", arguments.stage, ": --dataset is missing"),
         dataset_hint("train " + arguments.stage));
  if (arguments.output_dir.empty())
    fail(ErrorKind::usage, cat("reveille train ", arguments.stage, ": --output-dir is missing"),
         "name the folder that the model, its log and its checkpoints go to");
}

std::unique_ptr<gen::LocalModel> open_to_train(const StageArguments& arguments, gen::OpenOptions open,
                                               const train::TrainOptions& options) {
  open.trainable = !options.use_peft;
  auto model = gen::open_model(arguments.model, open);
  if (options.use_peft && model->adapter()) check_shape(arguments.model, options, *model);
  if (options.use_peft && !model->adapter())
    model->add_lora(train::peft_config(options, arguments.model), options.seed);
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
  hooks.save_beside = [&](const std::filesystem::path& folder) {
    gen::SaveOptions beside = save;
    beside.dtype = at::kFloat;
    gen::save_beside_weights(model, folder, beside);
  };
  const bool adapter = model.adapter() && arguments.stage != "reward";  // whose adapter is merged
  hooks.result_bytes = adapter ? gen::saved_adapter_bytes(model) : gen::saved_bytes(model, save);
  const auto result = learn(hooks);
  // A run that never had a learning rate (a step that is all warm-up) leaves the adapter empty, as it was told to.
  save.allow_empty = !result.could_learn();
  if (model.adapter()) {
    gen::save_adapter(model, arguments.output_dir, save);
  } else {
    gen::save_hf_folder(model, arguments.output_dir, save);
  }
  std::printf("%s\n", io::json_line(summary(arguments, result, told)).c_str());
  return 0;
}

}  // namespace reveille::cli
