#include "cli/train_stage.h"
#include "io/dataset.h"
#include "safety/reward_training.h"
#include "train/pairs.h"

namespace reveille::cli {

int train_reward(const std::vector<std::string>& arguments) {
  StageArguments stage{.stage = "reward"};
  gen::OpenOptions open;
  train::TrainOptions options = safety::reward_train_options();
  safety::RewardOptions reward;
  io::DatasetOptions data;
  CommandLine line(
      "train reward",
      "A preference model (Bradley-Terry) from pairs of replies, under TRL's names. The folder is one that\n"
      "transformers opens with AutoModelForSequenceClassification; an adapter is merged into it.",
      "  reveille train reward smollm2-135m-instruct --dataset pairs.jsonl --output-dir preference-model\n");
  add_stage_arguments(line, stage, "preference rows: chosen and rejected, or hh-rlhf transcripts",
                      "held-out pairs: loss, accuracy and margin are told at eval_steps and at the end");
  line.options(reward);
  line.options(options);
  line.options(open);
  line.options(data);
  if (!line.parse(arguments)) return 0;
  check_stage_arguments(stage);
  auto rows = io::load_dataset(stage.dataset, data).examples;
  open.reward_model = true;
  auto model = open_to_train(stage, open, options);
  const auto equal = data.bad_rows == "skip" ? train::EqualPairs::skip : train::EqualPairs::error;
  auto pairs = train::encode_pairs(*model, rows, options, equal);
  std::vector<train::Pair> held_out;
  if (stage.eval_dataset.empty()) {
    held_out = train::split_held_out(pairs, reward.held_out, options.seed);
  } else {
    held_out = train::encode_pairs(*model, io::load_dataset(stage.eval_dataset, data).examples, options, equal);
  }
  return run_stage(stage, *model, options, {"accuracy", "margin"}, [&](const train::TrainHooks& hooks) {
    return safety::train_reward(*model, std::move(pairs), std::move(held_out), options, reward, stage.output_dir,
                                hooks);
  });
}

}  // namespace reveille::cli
