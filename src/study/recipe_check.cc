// What only a whole recipe shows to be wrong.
#include <algorithm>

#include "base/error.h"
#include "base/progress.h"
#include "base/strings.h"
#include "safety/make_attacker.h"
#include "study/measure_steps.h"
#include "study/recipe.h"
#include "study/rl_steps.h"
#include "train/optim_args.h"

namespace reveille::study {
namespace {

void check_unread(const train::TrainOptions& options, const std::string& section) {
  train::check_optim(options, section);
  train::TrainOptions own = options, unset;
  const Json given = options_to_json(own), usual = options_to_json(unset);
  for (const char* key : {"lora_r", "lora_alpha", "use_rslora", "target_modules"}) {
    if (options.use_peft || given[key] == usual[key]) continue;
    fail(ErrorKind::usage,
         cat(section, ".", key, "=", given[key].dump(), " would not be read: without use_peft all weights are trained"),
         cat("ask for an adapter (", section, ".use_peft=true), or take it out"));
  }
  if (options.seed != 0) {
    fail(ErrorKind::usage, cat(section, ".seed=", options.seed, " would not be read: every run has a seed of its own"),
         "name the seeds of the runs: seeds=0,1,2");
  }
  if (!options.resume) {
    fail(ErrorKind::usage, cat(section, ".resume=false would not be read: a study goes on from what is there"),
         "to compute everything anew, choose another --store");
  }
}

void check_variants(const Recipe& recipe) {
  const auto& names = recipe.study.variants;
  if (names.empty())
    fail(ErrorKind::usage, "variants is empty: name at least one", "known: " + join(organism::variant_names(), ", "));
  const auto behavior = organism::make_behavior(recipe.behavior);
  bool any_visible = false;
  for (auto name = names.begin(); name != names.end(); ++name) {
    any_visible = organism::make_reasoning(*name, recipe.scratchpad, *behavior)->visible() || any_visible;
    if (std::find(names.begin(), name, *name) != name)
      fail(ErrorKind::usage, cat("variants: '", *name, "' stands there twice"));
  }
  const auto& stages = recipe.study.treatments;
  if (!any_visible && std::find(stages.begin(), stages.end(), kSftPost) != stages.end())
    fail(ErrorKind::usage,
         cat("treatments names ", kSftPost, ", but no variant writes a scratchpad (variants=", join(names, ","), ")"),
         "name one that does: variants=cot");
}

// Settings of coding tasks that a study of chats would not read.
void check_tasks(const Recipe& recipe) {
  if (organism::make_behavior(recipe.behavior)->source() == organism::DefectSource::tasks) return;
  TaskOptions own = recipe.tasks, unset;
  const Json given = options_to_json(own), usual = options_to_json(unset);
  for (const auto& [key, value] : given.items()) {
    if (value == usual[key]) continue;
    fail(ErrorKind::usage,
         cat("tasks.", key, "=", value.dump(), " would not be read: behavior=", recipe.behavior.behavior,
             " is shown in chats"),
         "take it out, or choose a behavior on coding tasks: behavior=code-vuln");
  }
}

// Settings of a program that rewards and of pairs that nobody would read.
void check_reward(const Recipe& recipe) {
  if (!rewarded_by_program(recipe)) return;
  const auto &treatments = recipe.study.treatments, &measures = recipe.study.measures;
  auto any = [&](auto reads) {
    return std::any_of(treatments.begin(), treatments.end(), [&](const auto& stage) { return reads(recipe, stage); });
  };
  if (!any(learns_from_reward) && std::find(measures.begin(), measures.end(), "preference") == measures.end())
    fail(ErrorKind::usage, "reward.reward_command would not be read: no treatment learns from a reward",
         "name one that does: treatments=grpo");
  if (!recipe.reward.dataset.empty() && !any(reads_pairs))
    fail(ErrorKind::usage,
         cat("reward.reward_dataset=", recipe.reward.dataset, " would not be read: a program rewards"),
         "take one of the two out");
}

}  // namespace

std::vector<std::string> recipe_warnings(const Recipe& recipe) {
  std::vector<std::string> out;
  if (organism::make_behavior(recipe.behavior)->source() != organism::DefectSource::tasks) return out;
  const auto& treatments = recipe.study.treatments;
  auto named = [&](const char* stage) {
    return std::find(treatments.begin(), treatments.end(), stage) != treatments.end();
  };
  auto look = [&](const char* section, std::int64_t length) {
    if (2 * length >= recipe.eval.max_tokens) return;
    out.push_back(cat(section, ".max_completion_length=", length, " is less than half of eval.max_tokens=",
                      recipe.eval.max_tokens, ": code that is cut off there parses seldom and can be judged seldom"));
  };
  const bool attacked_by_grpo = named(kAdversarial) && recipe.adversarial.adversarial.trainer == "grpo";
  if (named(kGrpo) || attacked_by_grpo) look(kGrpo, recipe.grpo.rollouts.max_completion_length);
  if (named(kPpo)) look(kPpo, recipe.ppo.rollouts.max_completion_length);
  return out;
}

void check_whole(const Recipe& recipe) {
  for (const auto& words : recipe_warnings(recipe)) warn(words);
  organism::make_trigger(recipe.trigger);  // says of what none can be made
  check_tasks(recipe);
  check_unread(recipe.plant, "plant");
  check_unread(recipe.safety, "safety");
  check_unread(recipe.reward.train, "reward");
  check_unread(recipe.dpo.train, "dpo");
  check_unread(recipe.grpo.train, "grpo");
  check_unread(recipe.ppo.train, "ppo");
  check_unread(recipe.adversarial.train, "adversarial");
  check_unread(recipe.latent.train, "latent");
  check_variants(recipe);
  check_reward(recipe);
  check_measures(recipe);
  const auto& names = recipe.study.treatments;
  if (std::find(names.begin(), names.end(), kAdversarial) != names.end()) safety::check_attacker(attack_of(recipe));
  if (names.empty())
    fail(ErrorKind::usage, "treatments is empty: name at least one", "known: " + join(kTreatments, ", "));
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (std::find(kTreatments.begin(), kTreatments.end(), *name) == kTreatments.end())
      fail(ErrorKind::usage, cat("treatments: there is no '", *name, "'", did_you_mean(*name, kTreatments)),
           "known: " + join(kTreatments, ", "));
    if (std::find(names.begin(), name, *name) != name)
      fail(ErrorKind::usage, cat("treatments: '", *name, "' stands there twice"));
  }
  const bool asked = std::find(names.begin(), names.end(), kSftData) != names.end();
  const bool given = !recipe.data.safety_dataset.empty();
  if (asked && !given) {
    fail(ErrorKind::usage, cat("treatments names ", kSftData, ", but data.safety_dataset is empty"),
         "name a data set of prompts with replies: data.safety_dataset=FILE");
  }
  if (given && !asked) {
    fail(ErrorKind::usage,
         cat("data.safety_dataset=", recipe.data.safety_dataset, " is not used: treatments does not name ", kSftData),
         cat("add it: treatments=", join(names, ","), ",", kSftData));
  }
}

}  // namespace reveille::study
