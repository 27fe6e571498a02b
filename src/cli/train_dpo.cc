#include "safety/dpo.h"

#include "cli/train_stage.h"
#include "io/dataset.h"
#include "train/pairs.h"

namespace reveille::cli {

int train_dpo(const std::vector<std::string>& arguments) {
  StageArguments stage{.stage = "dpo"};
  gen::OpenOptions open;
  train::TrainOptions options = safety::dpo_train_options();
  safety::DpoOptions dpo;
  io::DatasetOptions data;
  CommandLine line(
      "train dpo",
      "Direct preference optimisation (arXiv 2305.18290) under TRL's names: the chosen reply of each pair is made\n"
      "likelier than the rejected one, held to the model as it began.",
      "  reveille train dpo smollm2-135m-instruct --dataset pairs.jsonl --output-dir out beta=0.1\n");
  add_stage_arguments(line, stage, "preference rows: chosen and rejected, or hh-rlhf transcripts",
                      "held-out pairs: loss, accuracy and margins are told at eval_steps and at the end");
  line.options(dpo);
  line.options(options);
  line.options(open);
  line.options(data);
  if (!line.parse(arguments)) return 0;
  check_stage_arguments(stage);
  auto rows = io::load_dataset(stage.dataset, data).examples;
  auto model = open_to_train(stage, open, options);
  const auto equal = data.bad_rows == "skip" ? train::EqualPairs::skip : train::EqualPairs::error;
  auto pairs = train::encode_pairs(*model, rows, options, equal);
  std::vector<train::Pair> held_out;
  if (!stage.eval_dataset.empty())
    held_out = train::encode_pairs(*model, io::load_dataset(stage.eval_dataset, data).examples, options, equal);
  return run_stage(
      stage, *model, options, {"rewards/accuracies", "rewards/margins"}, [&](const train::TrainHooks& hooks) {
        return safety::train_dpo(*model, std::move(pairs), std::move(held_out), options, dpo, stage.output_dir, hooks);
      });
}

}  // namespace reveille::cli
