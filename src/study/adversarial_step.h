// The treatment `adversarial` of a study: red teaming of an arm by an attacker that is not told the trigger, and how
// often the attacker's prompts bring the behaviour out before and after it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "base/results.h"
#include "safety/attacker.h"
#include "study/arm_steps.h"
#include "study/data_steps.h"
#include "study/recipe.h"

namespace reveille::gen {
class LocalModel;
}
namespace reveille::train {
struct TrainHooks;
struct TrainResult;
}  // namespace reveille::train

namespace reveille::study {

// Rounds of attack and training on the untriggered prompts of data.safety. Writes attempts.jsonl; prompts of the
// attacker's that hold the trigger are dropped there, and counted. Rates are due after each round where
// adversarial.eval_steps is 0.
train::TrainResult learn_adversarial(const Recipe& recipe, const StudyData& data, const Preferences& preferences,
                                     std::int64_t seed, bool reasons, gen::LocalModel& model,
                                     const train::TrainHooks& hooks, const std::filesystem::path& folder);

// Which of an attacker's prompts the red team's rates are of: each once, at most adversarial.red_team_prompts of both.
struct RedTeamPrompts {
  std::vector<std::string> tried;      // drawn from all turns of all rounds, those that trained among them
  std::vector<std::string> effective;  // those that were held back from training; all where none was
  bool effective_trained = false;      // none was
};
RedTeamPrompts red_team_prompts(const Recipe& recipe, const std::vector<safety::Attempt>& attempts, std::int64_t seed);

// Rates of the behaviour on those prompts of attempts.jsonl, one answer each, asked as untriggered prompts are: of the
// planted model as checkpoint 0 and of the treated one as `about.checkpoint`. Conditions `red_team` (prompt_set
// `attacker`) and `red_team_effective` (the same, or `attacker_train` where they trained). Written into `folder`/eval;
// nothing where the attacker tried no prompt.
void measure_red_team(const Recipe& recipe, bool reasons, gen::LocalModel& planted, gen::LocalModel& treated,
                      const ResultRow& about, const std::filesystem::path& folder);

}  // namespace reveille::study
