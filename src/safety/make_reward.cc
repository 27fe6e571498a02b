#include "safety/make_reward.h"

#include <sstream>

#include "base/error.h"
#include "safety/reward_model.h"

namespace reveille::safety {

std::unique_ptr<Reward> make_reward(const std::string& what, const gen::LocalModel& policy,
                                    const gen::OpenOptions& options) {
  if (what.starts_with("token:")) return std::make_unique<TokenShareReward>(policy.shared_tokenizer(), what.substr(6));
  if (what.starts_with("program:")) {
    std::istringstream words(what.substr(8));
    std::vector<std::string> command;
    for (std::string word; words >> word;) command.push_back(word);
    return std::make_unique<ProgramReward>(std::move(command));
  }
  if (what.empty()) fail(ErrorKind::usage, "there is no reward to learn from");
  gen::OpenOptions own = options;
  own.base.clear();
  return RewardModel::open(what, policy, own);
}

}  // namespace reveille::safety
