#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/strings.h"
#include "cli/verb.h"
#include "gen/local.h"
#include "gen/save.h"
#include "io/dataset.h"
#include "train/rows.h"
#include "train/sft.h"

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

int train_sft(const std::vector<std::string>& arguments) {
  std::string model_name, dataset, eval_dataset, output_dir;
  gen::OpenOptions open;
  train::TrainOptions options;
  io::DatasetOptions data;
  CommandLine line(
      "train sft",
      "Supervised fine-tuning, all weights or a LoRA adapter, under TRL's names. Conversations learn on the\n"
      "assistant's tokens with the end-of-turn token; plain prompt/completion strings on the completion.",
      "  reveille train sft smollm2-135m-instruct --dataset chats.jsonl --output-dir out max_steps=100\n"
      "  reveille train sft smollm2-135m-instruct --dataset chats.jsonl --output-dir adapter use_peft=true lora_r=8\n");
  line.positional("MODEL", model_name, "the model to start from");
  line.value("dataset", dataset, "training rows in any data-set form");
  line.value("eval-dataset", eval_dataset, "held-out rows: their loss is told at eval_steps and at the end");
  line.value("output-dir", output_dir, "where the model, its log and its checkpoints go");
  line.options(options);
  line.options(open);
  line.options(data);
  if (!line.parse(arguments)) return 0;
  if (dataset.empty()) fail(ErrorKind::usage, "reveille train sft: --dataset is missing");
  if (output_dir.empty()) fail(ErrorKind::usage, "reveille train sft: --output-dir is missing");
  auto rows = io::load_dataset(dataset, data).examples;
  open.trainable = !options.use_peft;
  auto model = gen::open_model(model_name, open);
  if (options.use_peft && !model->adapter()) model->add_lora(peft_config(options, model_name), options.seed);
  if (!options.use_peft && model->adapter()) {
    fail(ErrorKind::usage, cat(model_name, " is an adapter"),
         "train the adapter further with use_peft=true, or merge it first: reveille model merge");
  }
  auto examples = train::encode_rows(*model, rows, options);
  std::vector<train::Example> held_out;
  if (!eval_dataset.empty())
    held_out = train::encode_rows(*model, io::load_dataset(eval_dataset, data).examples, options);
  train::TrainHooks hooks;
  hooks.title = "sft";
  hooks.held_out = &held_out;
  gen::SaveOptions save;
  save.dtype = train::saved_type(options, model->transformer());
  save.allow_empty = options.learning_rate == 0;
  hooks.save_beside = [&](const std::filesystem::path& folder) {
    gen::SaveOptions beside = save;
    beside.dtype = at::kFloat;
    gen::save_beside_weights(*model, folder, beside);
  };
  hooks.result_bytes = options.use_peft ? gen::saved_adapter_bytes(*model) : gen::saved_bytes(*model, save);
  auto result = train::train(model->transformer(), examples, options, output_dir, hooks);
  if (options.use_peft) {
    gen::save_adapter(*model, output_dir, save);
  } else {
    gen::save_hf_folder(*model, output_dir, save);
  }
  std::printf("%s\n",
              Json{{"output_dir", output_dir}, {"steps", result.steps}, {"train_loss", result.history.back().loss}}
                  .dump()
                  .c_str());
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
