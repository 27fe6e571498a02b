#include "safety/ppo.h"

#include "cli/train_rl.h"
#include "io/dataset.h"
#include "safety/make_reward.h"

namespace reveille::cli {

int train_ppo(const std::vector<std::string>& arguments) {
  RlArguments rl{.stage = {.stage = "ppo"}};
  gen::OpenOptions open;
  train::TrainOptions options = safety::ppo_train_options();
  safety::RolloutOptions rollouts;
  safety::PpoOptions ppo;
  io::DatasetOptions data;
  CommandLine line(
      "train ppo",
      "Proximal policy optimisation with a value head and a KL penalty in every token's reward (arXiv 2203.02155),\n"
      "under the names of TRL's PPOConfig. Scratchpads are cut before the reward.",
      "  reveille train ppo organism --dataset prompts.jsonl --reward preference-model --output-dir out "
      "kl_coef=0.05\n");
  add_rl_arguments(line, rl);
  line.options(ppo);
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
    return safety::train_ppo(*model, std::move(prompts), *reward, options, rollouts, ppo, rl.stage.output_dir, hooks);
  });
}

}  // namespace reveille::cli
