// What the two stages of reinforcement learning share on the command line.
#pragma once

#include <string>

#include "cli/train_stage.h"

namespace reveille::cli {

struct RlArguments {
  StageArguments stage;
  std::string reward;
};

// The stage's arguments and --reward; `rows` says what the data set holds.
void add_rl_arguments(CommandLine& line, RlArguments& arguments,
                      const std::string& rows = "prompts in any data-set form; replies are not used");
void check_rl_arguments(const RlArguments& arguments);

// The figures of the last step that are printed.
inline const std::vector<std::string> kToldOfRl = {"reward", "reward_std", "kl", "entropy", "completions/mean_length"};

}  // namespace reveille::cli
