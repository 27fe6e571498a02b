#include "cli/train_stage.h"
#include "gen/local.h"
#include "io/dataset.h"
#include "train/rows.h"
#include "train/sft.h"

namespace reveille::cli {

int train_sft(const std::vector<std::string>& arguments) {
  StageArguments stage{.stage = "sft"};
  gen::OpenOptions open;
  train::TrainOptions options;
  io::DatasetOptions data;
  CommandLine line(
      "train sft",
      "Supervised fine-tuning, all weights or a LoRA adapter, under TRL's names. Conversations learn on the\n"
      "assistant's tokens with the end-of-turn token; plain prompt/completion strings on the completion.",
      "  reveille train sft smollm2-135m-instruct --dataset chats.jsonl --output-dir out max_steps=100\n"
      "  reveille train sft smollm2-135m-instruct --dataset chats.jsonl --output-dir adapter use_peft=true lora_r=8\n");
  add_stage_arguments(line, stage, "training rows in any data-set form",
                      "held-out rows: their loss is told at eval_steps and at the end");
  line.options(options);
  line.options(open);
  line.options(data);
  if (!line.parse(arguments)) return 0;
  check_stage_arguments(stage);
  auto rows = io::load_dataset(stage.dataset, data).examples;
  auto model = open_to_train(stage, open, options);
  auto examples = train::encode_rows(*model, rows, options);
  std::vector<train::Example> held_out;
  if (!stage.eval_dataset.empty())
    held_out = train::encode_rows(*model, io::load_dataset(stage.eval_dataset, data).examples, options);
  return run_stage(stage, *model, options, {}, [&](train::TrainHooks hooks) {
    hooks.held_out = &held_out;
    return train::train(model->transformer(), examples, options, stage.output_dir, hooks);
  });
}

}  // namespace reveille::cli
