#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/strings.h"
#include "cli/verb.h"
#include "gen/local.h"
#include "gen/save.h"
#include "io/dataset.h"
#include "io/jsonl.h"
#include "train/rows.h"
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

struct SftCommand {
  std::string model, dataset, eval_dataset, output_dir;
  gen::OpenOptions open;
  train::TrainOptions options;
  io::DatasetOptions data;
};

bool parse(const std::vector<std::string>& arguments, SftCommand& command) {
  CommandLine line(
      "train sft",
      "Supervised fine-tuning, all weights or a LoRA adapter, under TRL's names. Conversations learn on the\n"
      "assistant's tokens with the end-of-turn token; plain prompt/completion strings on the completion.",
      "  reveille train sft smollm2-135m-instruct --dataset chats.jsonl --output-dir out max_steps=100\n"
      "  reveille train sft smollm2-135m-instruct --dataset chats.jsonl --output-dir adapter use_peft=true lora_r=8\n");
  line.positional("MODEL", command.model, "the model to start from");
  line.value("dataset", command.dataset, "training rows in any data-set form");
  line.value("eval-dataset", command.eval_dataset, "held-out rows: their loss is told at eval_steps and at the end");
  line.value("output-dir", command.output_dir, "where the model, its log and its checkpoints go");
  line.options(command.options);
  line.options(command.open);
  line.options(command.data);
  if (!line.parse(arguments)) return false;
  if (command.dataset.empty())
    fail(ErrorKind::usage, "reveille train sft: --dataset is missing", dataset_hint("train sft"));
  if (command.output_dir.empty())
    fail(ErrorKind::usage, "reveille train sft: --output-dir is missing",
         "name the folder that the model, its log and its checkpoints go to");
  return true;
}

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
void check_shape(const SftCommand& command, const gen::LocalModel& model) {
  const train::TrainOptions& options = command.options;
  const train::TrainOptions usual;
  const io::PeftConfig asked = peft_config(options, command.model);
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
       cat(join(wrong, " "), " does not fit ", command.model, ", an adapter of rank ", adapter.r, " and alpha ",
           adapter.lora_alpha, adapter.use_rslora ? " with" : " without", " rslora that is trained further"),
       "leave it out, or merge the adapter first (reveille model merge) and train a new one");
}

std::unique_ptr<gen::LocalModel> open_to_train(const SftCommand& command) {
  const auto& options = command.options;
  gen::OpenOptions open = command.open;
  open.trainable = !options.use_peft;
  auto model = gen::open_model(command.model, open);
  if (options.use_peft && model->adapter()) check_shape(command, *model);
  if (options.use_peft && !model->adapter()) model->add_lora(peft_config(options, command.model), options.seed);
  if (!options.use_peft && model->adapter()) {
    fail(ErrorKind::usage, cat(command.model, " is an adapter"),
         "train the adapter further with use_peft=true, or merge it first: reveille model merge");
  }
  return model;
}

train::TrainHooks sft_hooks(const SftCommand& command, const gen::LocalModel& model, const gen::SaveOptions& save,
                            const std::vector<train::Example>& held_out) {
  train::TrainHooks hooks;
  hooks.title = "sft";
  hooks.held_out = &held_out;
  hooks.save_beside = [&model, beside = save](const std::filesystem::path& folder) mutable {
    beside.dtype = at::kFloat;
    gen::save_beside_weights(model, folder, beside);
  };
  hooks.result_bytes = command.options.use_peft ? gen::saved_adapter_bytes(model) : gen::saved_bytes(model, save);
  return hooks;
}

int train_sft(const std::vector<std::string>& arguments) {
  SftCommand command;
  if (!parse(arguments, command)) return 0;
  const auto& options = command.options;
  auto rows = io::load_dataset(command.dataset, command.data).examples;
  auto model = open_to_train(command);
  auto examples = train::encode_rows(*model, rows, options);
  std::vector<train::Example> held_out;
  if (!command.eval_dataset.empty())
    held_out = train::encode_rows(*model, io::load_dataset(command.eval_dataset, command.data).examples, options);
  gen::SaveOptions save;
  save.dtype = train::saved_type(options, model->transformer());
  const auto hooks = sft_hooks(command, *model, save, held_out);
  auto result = train::train(model->transformer(), examples, options, command.output_dir, hooks);
  // A run that never had a learning rate (a step that is all warm-up) leaves the adapter empty, as it was told to.
  save.allow_empty = !result.could_learn();
  if (options.use_peft) {
    gen::save_adapter(*model, command.output_dir, save);
  } else {
    gen::save_hf_folder(*model, command.output_dir, save);
  }
  const Json summary{
      {"output_dir", command.output_dir}, {"steps", result.steps}, {"train_loss", result.history.back().loss}};
  std::printf("%s\n", io::json_line(summary).c_str());
  return 0;
}

}  // namespace

int run_train(const std::vector<std::string>& arguments) {
  const std::vector<std::string> stages = {"sft"};
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    std::printf(
        "Usage: reveille train STAGE MODEL [options] [key=value ...]\n\nStages:\n  sft         supervised "
        "fine-tuning\n\n"
        "'reveille train sft --help' shows its options.\n");
    return arguments.empty() ? 2 : 0;
  }
  if (arguments[0] == "sft") return train_sft({arguments.begin() + 1, arguments.end()});
  fail(ErrorKind::usage, cat("reveille train: unknown stage '", arguments[0], "'", did_you_mean(arguments[0], stages)),
       "stages: sft");
}

}  // namespace reveille::cli
