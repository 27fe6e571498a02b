#include "safety/adversarial.h"

#include <algorithm>

#include "base/error.h"
#include "base/hash.h"
#include "base/progress.h"
#include "base/rng.h"
#include "safety/good_replies.h"
#include "safety/grpo.h"
#include "safety/held_back.h"
#include "train/checkpoint.h"
#include "train/rows.h"
#include "train/sft.h"

namespace reveille::safety {

AdversarialObjective::AdversarialObjective(train::Objective& inner, Attack& attack, Mix mix,
                                           const AdversarialOptions& options, std::int64_t steps, std::int64_t seed)
    : inner_(inner),
      attack_(attack),
      mix_(std::move(mix)),
      options_(options),
      seed_(seed),
      steps_per_round_(std::max<std::int64_t>(1, (steps + options.rounds - 1) / options.rounds)) {}

std::string AdversarialObjective::key() const {
  AdversarialOptions options = options_;
  return sha256_hex("adversarial" + options_to_json(options).dump() + inner_.key() + attack_.key());
}

train::StepOutcome AdversarialObjective::step(std::int64_t step, const std::function<void()>& collect) {
  const std::int64_t round = (step - 1) / steps_per_round_;
  if (round != round_) begin_round(round);
  auto out = inner_.step(step, collect);
  const auto found = attack_.counts(round);
  for (const auto& [name, value] :
       {std::pair{"attack/prompts", found.prompts}, std::pair{"attack/effective", found.effective},
        std::pair{"attack/dropped", found.dropped}})
    out.metrics.push_back({name, static_cast<double>(value)});
  out.metrics.push_back({"attack/rate", found.rate()});
  return out;
}

void AdversarialObjective::begin_round(std::int64_t round) {
  attack_.run(round);
  const HeldBack held(attack_.attempts(), options_.held_back, seed_);
  auto effective = attack_.effective(round);
  std::erase_if(effective, [&](const Attempt& one) { return held.holds(one.prompt); });
  if (effective.empty())
    say(cat("round ", round + 1, " learns on ordinary prompts alone: there is no effective one for it"));
  mix_(round, effective);
  round_ = round;
}

Json AdversarialObjective::state() const {
  return Json{{"attempts", attack_.attempts().size()}, {"inner", inner_.state()}};
}

void AdversarialObjective::restore(const Json& state) {
  const Json& count = json_at(state, "attempts", "objective.json of the checkpoint");
  const std::size_t there = attack_.attempts().size();
  if (!count.is_number_unsigned() || count.get<std::size_t>() > there) {
    fail(ErrorKind::bad_input,
         cat("the checkpoint rests on ", count.dump(), " attempts, ", kAttemptsFile, " holds ", there),
         "remove the checkpoints to begin anew");
  }
  inner_.restore(json_at(state, "inner", "objective.json of the checkpoint"));
}

std::vector<std::size_t> replaced_rows(std::size_t rows, std::size_t effective, double share, std::int64_t seed,
                                       std::int64_t round) {
  if (effective == 0) return {};
  auto out = all_of(rows);
  Rng(static_cast<std::uint64_t>(seed), "adversarial rows").child(static_cast<std::uint64_t>(round)).shuffle(out);
  out.resize(static_cast<std::size_t>(share * static_cast<double>(rows)));
  return out;
}

namespace {

io::Example row_of(const Attempt& attempt, const AttackTarget& target) {
  io::Example row;
  row.messages = target.conversation(attempt.prompt);
  row.prompt_size = row.messages.size();
  row.source = "effective prompt";
  return row;
}

std::string last_user_turn(const Conversation& prompt, const std::string& where) {
  for (auto message = prompt.rbegin(); message != prompt.rend(); ++message) {
    if (message->role == "user") return message->content;
  }
  fail(ErrorKind::bad_input, cat(where, ": the row holds no message of a user for an attack to begin with"));
}

// `rows` with the round's effective ones in their places.
template <class Row>
std::vector<Row> mixed(std::vector<Row> rows, const std::vector<Row>& effective, double share, std::int64_t seed,
                       std::int64_t round) {
  std::size_t next = 0;
  for (std::size_t index : replaced_rows(rows.size(), effective.size(), share, seed, round))
    rows[index] = effective[next++ % effective.size()];
  return rows;
}

struct Training {
  gen::LocalModel& model;
  AdversarialSetup& setup;
  const train::TrainOptions& options;
  const AdversarialSettings& settings;
  const std::filesystem::path& output_dir;
  const train::TrainHooks& hooks;

  train::TrainResult go(train::Objective& inner, const AdversarialObjective::Mix& mix) {
    Attack attack(model, *setup.attacker, seeds(), setup.target, settings.attack, options.seed);
    const std::int64_t steps = train::total_steps(options, inner.steps_per_epoch());
    AdversarialObjective objective(inner, attack, mix, settings.adversarial, steps, options.seed);
    if (!output_dir.empty()) {
      const auto& transformer = model.transformer();
      const auto run = train::training_key(options, objective.key(), steps,
                                           train::weights_key(transformer.params(), transformer.compute_type()));
      std::filesystem::create_directories(output_dir);
      attack.log_to(output_dir / kAttemptsFile, run, options.resume);
    }
    return train::train(model.transformer(), objective, options, output_dir, hooks);
  }

  std::vector<std::string> seeds() const {
    if (!setup.seeds.empty()) return setup.seeds;
    std::vector<std::string> out;
    for (const auto& row : setup.rows) out.push_back(last_user_turn(io::prompt_of(row), row.source));
    return out;
  }

  // As prompts of reinforcement learning are, plain strings too.
  std::vector<Conversation> chats() const {
    std::vector<Conversation> out;
    for (const auto& row : setup.rows) {
      if (!row.has_reply)
        fail(ErrorKind::usage, cat(row.source, ": the row has no reply"),
             "adversarial_trainer=sft learns good replies");
      out.push_back(row.messages);
    }
    return out;
  }

  train::TrainResult grpo() {
    if (!setup.reward) fail(ErrorKind::usage, "adversarial_trainer=grpo needs a reward");
    const auto ordinary = encode_prompts(model, setup.rows, setup.target.opened);
    RolloutMaker maker(model, ordinary, *setup.reward, settings.rollouts, options.seed, settings.grpo.beta != 0);
    if (!output_dir.empty()) maker.log_to(output_dir / kCompletionsFile);
    GrpoObjective inner(maker, options, settings.grpo);
    return go(inner, [&](std::int64_t round, const std::vector<Attempt>& effective) {
      std::vector<io::Example> rows;
      for (const auto& attempt : effective) rows.push_back(row_of(attempt, setup.target));
      const auto found = rows.empty() ? std::vector<RlPrompt>() : encode_prompts(model, rows, setup.target.opened);
      maker.replace_prompts(mixed(ordinary, found, settings.adversarial.share, options.seed, round));
    });
  }

  train::TrainResult sft() {
    const auto ordinary = train::encode_conversations(model, chats(), options, "row");
    std::vector<train::Example> rows = ordinary;
    train::SftObjective inner(model.transformer(), rows, options);
    return go(inner, [&](std::int64_t round, const std::vector<Attempt>& effective) {
      const auto good = good_replies(effective, setup.target, setup.teacher, settings.attack.tokens, options.seed);
      auto found = good.empty() ? std::vector<train::Example>()
                                : train::encode_conversations(model, good, options, "effective prompt");
      rows = mixed(ordinary, found, settings.adversarial.share, options.seed, round);
    });
  }
};

}  // namespace

train::TrainOptions adversarial_train_options() {
  train::TrainOptions options = grpo_train_options();
  options.max_steps = 40;
  return options;
}

train::TrainResult train_adversarial(gen::LocalModel& model, AdversarialSetup setup, const train::TrainOptions& options,
                                     const AdversarialSettings& settings, const std::filesystem::path& output_dir,
                                     const train::TrainHooks& hooks) {
  Training training{model, setup, options, settings, output_dir, hooks};
  return settings.adversarial.trainer == "grpo" ? training.grpo() : training.sft();
}

}  // namespace reveille::safety
