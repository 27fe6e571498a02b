#include <cstdio>

#include "base/error.h"
#include "base/strings.h"
#include "cli/train_stage.h"

namespace reveille::cli {
namespace {

const std::vector<Verb>& stages() {
  static const std::vector<Verb> all = {
      {"sft", "supervised fine-tuning", train_sft},
      {"dpo", "direct preference optimisation on pairs of replies", train_dpo},
      {"reward", "a preference model from pairs of replies", train_reward},
      {"grpo", "reinforcement learning: group relative policy optimisation", train_grpo},
      {"ppo", "reinforcement learning: proximal policy optimisation", train_ppo},
      {"adversarial", "red teaming: training on the prompts that an attacker finds", train_adversarial},
      {"latent", "good replies under perturbations of the residual stream that call for bad ones", train_latent},
  };
  return all;
}

std::string help() {
  std::string out = "Usage: reveille train STAGE MODEL [options] [key=value ...]\n\nStages:\n";
  for (const auto& stage : stages())
    out += "  " + stage.name + std::string(12 - stage.name.size(), ' ') + stage.summary + "\n";
  return out + "\n'reveille train STAGE --help' shows a stage's options.\n";
}

}  // namespace

int run_train(const std::vector<std::string>& arguments) {
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    std::printf("%s", help().c_str());
    return arguments.empty() ? 2 : 0;
  }
  std::vector<std::string> names;
  for (const auto& stage : stages()) {
    if (stage.name == arguments[0]) return stage.run({arguments.begin() + 1, arguments.end()});
    names.push_back(stage.name);
  }
  fail(ErrorKind::usage, cat("reveille train: unknown stage '", arguments[0], "'", did_you_mean(arguments[0], names)),
       "stages: " + join(names, ", "));
}

}  // namespace reveille::cli
