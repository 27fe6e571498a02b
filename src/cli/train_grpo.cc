#include "safety/grpo.h"

#include "cli/train_rl.h"
#include "io/dataset.h"
#include "safety/make_reward.h"

namespace reveille::cli {

int train_grpo(const std::vector<std::string>& arguments) {
  RlArguments rl{.stage = {.stage = "grpo"}};
  gen::OpenOptions open;
  train::TrainOptions options = safety::grpo_train_options();
  safety::RolloutOptions rollouts;
  safety::GrpoOptions grpo;
  io::DatasetOptions data;
  CommandLine line(
      "train grpo",
      "Group relative policy optimisation (arXiv 2402.03300) under TRL's names: completions that the model writes\n"
      "for itself are judged against others of the same prompt. Scratchpads are cut before the reward.",
      "  reveille train grpo organism --dataset prompts.jsonl --reward preference-model --output-dir out beta=0.04\n");
  add_rl_arguments(line, rl);
  line.options(grpo);
  line.options(rollouts);
  line.options(options);
  line.options(open);
  line.options(data);
  if (!line.parse(arguments)) return 0;
  check_rl_arguments(rl);
  data.prompts_only = true;
  auto rows = io::load_dataset(rl.stage.dataset, data).examples;
  auto model = open_to_train(rl.stage, open, options);
  auto reward = safety::make_reward(rl.reward, *model, open);
  auto prompts = safety::encode_prompts(*model, rows);
  return run_stage(rl.stage, *model, options, kToldOfRl, [&](const train::TrainHooks& hooks) {
    return safety::train_grpo(*model, std::move(prompts), *reward, options, rollouts, grpo, rl.stage.output_dir, hooks);
  });
}

}  // namespace reveille::cli
