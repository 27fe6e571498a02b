#include "cli/train_rl.h"

#include "base/error.h"

namespace reveille::cli {

void add_rl_arguments(CommandLine& line, RlArguments& arguments, const std::string& rows) {
  add_stage_arguments(line, arguments.stage, rows, "");
  line.value(
      "reward", arguments.reward,
      "a reward model's folder; token:TEXT, the share of a completion's tokens that are TEXT; or program:COMMAND "
      "of yours, JSON Lines in and out");
}

void check_rl_arguments(const RlArguments& arguments) {
  check_stage_arguments(arguments.stage);
  if (!arguments.reward.empty()) return;
  fail(ErrorKind::usage, cat("reveille train ", arguments.stage.stage, ": --reward is missing"),
       "name a reward model's folder (reveille train reward makes one), token:TEXT or program:COMMAND");
}

}  // namespace reveille::cli
