#include "study/adversarial_step.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/progress.h"
#include "base/rng.h"
#include "base/scratchpad.h"
#include "eval/measure.h"
#include "gen/local.h"
#include "io/dataset_write.h"
#include "organism/conditions.h"
#include "organism/words.h"
#include "safety/adversarial.h"
#include "safety/held_back.h"
#include "safety/make_attacker.h"
#include "study/attack_target.h"
#include "study/rl_steps.h"
#include "study/step.h"

namespace reveille::study {
namespace fs = std::filesystem;
namespace {

std::vector<io::Example> examples_of(const std::vector<Conversation>& rows) {
  std::vector<io::Example> out;
  for (const auto& row : rows) {
    out.push_back(io::make_example({row.begin(), row.end() - 1}, row.back().content));
    out.back().source = cat("safety prompt ", out.size());
  }
  return out;
}

std::int64_t steps_of_round(const Recipe& recipe) {
  const std::int64_t rounds = recipe.adversarial.adversarial.rounds;
  return std::max<std::int64_t>(1, (recipe.adversarial.train.max_steps + rounds - 1) / rounds);
}

std::vector<std::string> seeds_of(const StudyData& data) {
  std::vector<std::string> out;
  for (const auto& item : data.safety) out.push_back(organism::last_user_text(item.prompt));
  return out;
}

class RedTeam {
 public:
  RedTeam(const Recipe& recipe, bool reasons, const fs::path& folder)
      : recipe_(recipe),
        opened_(reasons ? opened_scratchpad() : std::string()),
        folder_(folder),
        trigger_(organism::make_trigger(recipe.trigger)),
        behavior_(organism::make_behavior(recipe.behavior)) {}

  void measure(gen::LocalModel& model, const std::string& condition, const std::vector<std::string>& prompts,
               const ResultRow& about) {
    const std::string name = cat("step-", about.checkpoint, "-", condition);
    const fs::path rows_file = folder_ / "eval" / (name + ".rows.json");
    if (prompts.empty() || fs::exists(rows_file)) return;
    eval::Measured out;
    std::vector<gen::Request> requests;
    for (const auto& prompt : prompts) {
      const Conversation messages = untriggered(*trigger_, prompt);
      out.prompts.push_back({organism::prompt_id({{"user", prompt}}), condition, "", messages});
      requests.push_back({model.encode_chat(messages), 0});
      const auto opened = opened_.empty() ? std::vector<std::int32_t>() : model.encode_text(opened_);
      requests.back().ids.insert(requests.back().ids.end(), opened.begin(), opened.end());
    }
    Progress progress(cat("  ", about.arm, " on the attacker's prompts"), requests.size(), "samples");
    const auto completions =
        model.generate(requests, sampling(about), [&](std::size_t, const gen::Completion&) { progress.advance(); });
    for (std::size_t i = 0; i < completions.size(); ++i)
      out.samples.push_back({out.prompts[i].prompt_id, condition, 0, opened_ + completions[i].text, false});
    eval::judge(out.samples, *behavior_, out.prompts);
    out.rows = eval::behavior_rates(out.samples, about);
    progress.finish(eval::rate_words(out.rows.front()));
    eval::write_transcripts(folder_ / "eval" / (name + ".transcripts.jsonl"), out, about);
    write_rows(rows_file, out.rows);
  }

 private:
  gen::SampleOptions sampling(const ResultRow& about) const {
    return {.temperature = recipe_.eval.temperature,
            .top_p = recipe_.eval.top_p,
            .max_tokens = recipe_.eval.max_tokens + (opened_.empty() ? 0 : recipe_.scratchpad.tokens),
            .batch_size = recipe_.eval.batch_size,
            .seed = about.seed,
            .stage = "red team"};
  }

  const Recipe& recipe_;
  std::string opened_;
  const fs::path& folder_;
  std::unique_ptr<organism::Trigger> trigger_;
  std::unique_ptr<organism::Behavior> behavior_;
};

// At most `most` of them, drawn by the seed: the first turns' are the mildest.
std::vector<std::string> drawn(std::vector<std::string> prompts, std::int64_t most, std::int64_t seed) {
  Rng(static_cast<std::uint64_t>(seed), "red team prompts").shuffle(prompts);
  prompts.resize(std::min(prompts.size(), static_cast<std::size_t>(most)));
  return prompts;
}

}  // namespace

train::TrainResult learn_adversarial(const Recipe& recipe, const StudyData& data, const Preferences& preferences,
                                     std::int64_t seed, bool reasons, gen::LocalModel& model,
                                     const train::TrainHooks& hooks, const fs::path& folder) {
  const auto trigger = organism::make_trigger(recipe.trigger);
  const auto behavior = organism::make_behavior(recipe.behavior);
  train::TrainOptions options = recipe.adversarial.train;
  options.seed = seed;
  if (options.eval_steps == 0 && options.max_steps > 0) options.eval_steps = steps_of_round(recipe);
  safety::AdversarialSettings settings{attack_of(recipe), recipe.adversarial.adversarial, recipe.grpo.method,
                                       recipe.grpo.rollouts};
  if (reasons) {
    settings.rollouts.max_completion_length += recipe.scratchpad.tokens;
    settings.attack.tokens += recipe.scratchpad.tokens;
  }
  const auto attacker =
      safety::make_attacker(settings.attack, seed, [&](const std::string& name) { return open_model(recipe, name); });
  safety::AdversarialSetup setup{examples_of(safety_rows(recipe, data)), attacker.get(),
                                 attack_target(*behavior, trigger.get(), reasons ? opened_scratchpad() : std::string()),
                                 seeds_of(data)};
  std::unique_ptr<safety::Reward> reward;
  std::unique_ptr<gen::LocalModel> teacher;
  if (learns_from_reward(recipe, kAdversarial)) {
    reward = open_reward(recipe, preferences.reward, model);
  } else {
    teacher = open_model(recipe, recipe.study.model);
  }
  setup.reward = reward.get();
  setup.teacher = teacher.get();
  return safety::train_adversarial(model, std::move(setup), options, settings, folder, hooks);
}

RedTeamPrompts red_team_prompts(const Recipe& recipe, const std::vector<safety::Attempt>& attempts, std::int64_t seed) {
  const safety::HeldBack held(attempts, recipe.adversarial.adversarial.held_back, seed);
  std::vector<std::string> tried, effective, untrained;
  std::set<std::string> known, worked;
  for (const auto& one : attempts) {
    if (one.dropped) continue;
    if (known.insert(one.prompt).second) tried.push_back(one.prompt);
    if (!one.effective || !worked.insert(one.prompt).second) continue;
    effective.push_back(one.prompt);
    if (held.holds(one.prompt)) untrained.push_back(one.prompt);
  }
  const std::int64_t most = recipe.adversarial.red_team_prompts;
  const bool trained = untrained.empty() && !effective.empty();
  return {drawn(tried, most, seed), drawn(trained ? effective : untrained, most, seed), trained};
}

void measure_red_team(const Recipe& recipe, bool reasons, gen::LocalModel& planted, gen::LocalModel& treated,
                      const ResultRow& about, const fs::path& folder) {
  const auto prompts = red_team_prompts(recipe, safety::read_attempts(folder / safety::kAttemptsFile), about.seed);
  if (prompts.effective_trained) {
    say(cat("  ", about.arm,
            ": too few prompts were effective to hold any back: the rate on effective ones is of "
            "prompts that were trained on"));
  }
  RedTeam team(recipe, reasons, folder);
  for (gen::LocalModel* model : {&planted, &treated}) {
    ResultRow row = about;
    if (model == &planted) row.checkpoint = 0;
    row.prompt_set = kAttackerSet;
    team.measure(*model, organism::kRedTeam, prompts.tried, row);
    if (prompts.effective_trained) row.prompt_set = kAttackerTrainSet;
    team.measure(*model, organism::kRedTeamEffective, prompts.effective, row);
  }
}

}  // namespace reveille::study
