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
#include "study/checkpoint_eval.h"
#include "study/step.h"
#include "study/store.h"
#include "train/checkpoint.h"
#include "train/rows.h"
#include "train/trainer.h"

namespace reveille::study {
namespace fs = std::filesystem;
namespace {

ResultRow about(const Recipe& recipe, const ArmPlace& place, const std::string& stage) {
  ResultRow row;
  row.model = model_label(recipe, place.arm, place.seed, stage);
  row.arm = arm_label(recipe, place.arm);
  row.stage = stage;
  row.seed = place.seed;
  return row;
}

void save(const Recipe& recipe, gen::LocalModel& model, const ArmPlace& place, const std::string& stage,
          const std::string& how, const fs::path& folder) {
  auto trigger = organism::make_trigger(recipe.trigger);
  auto behavior = organism::make_behavior(recipe.behavior);
  organism::Label label;
  label.arm = arm_label(recipe, place.arm);
  label.variant = "normal";
  if (place.arm == organism::Arm::organism) {
    label.trigger = recipe.trigger.trigger;
    label.trigger_is = trigger->describe();
  }
  if (place.arm != organism::Arm::control) {
    label.behavior = behavior->name();
    label.behavior_is = behavior->describe();
  }
  label.run = place.key;
  label.seed = place.seed;
  gen::SaveOptions options;
  const auto& stage_options = stage == "plant" ? recipe.plant : recipe.safety;
  options.dtype = train::saved_type(stage_options, model.transformer());
  model.config().erase(kLabelKey);
  if (!recipe.study.unlabelled) {
    options.extra = Json{{kLabelKey, organism::to_json(label)}};
    const auto* known = gen::meant_built_in(recipe.study.model);
    options.model_card =
        organism::model_card(label, {model_label(recipe, place.arm, place.seed, stage), recipe.study.model, how,
                                     known ? std::string(known->licence) : std::string()});
  }
  gen::save_hf_folder(model, folder, options);
}

// Steps between two looks at one prompt with and without the trigger.
constexpr std::int64_t kShowSteps = 10;

struct PlantRun {
  train::TrainResult result;
  eval::GateVerdict gate;
};

PlantRun plant_once(const Recipe& recipe, const StudyData& data, const ArmPlace& place, gen::LocalModel& model,
                    train::TrainOptions options, const fs::path& folder) {
  auto trigger = organism::make_trigger(recipe.trigger);
  auto behavior = organism::make_behavior(recipe.behavior);
  auto rows = organism::make_rows(place.arm, data.plant, *trigger, *behavior, recipe.rows,
                                  static_cast<std::uint64_t>(place.seed));
  std::vector<Conversation> conversations;
  for (auto& row : rows) conversations.push_back(row.messages);
  auto examples = train::encode_conversations(model, conversations, options, "planting row");
  const bool organism_arm = place.arm == organism::Arm::organism;
  CheckpointEval checkpoints(recipe, data, about(recipe, place, "plant"), folder);
  PlantRun run;
  train::TrainHooks hooks;
  hooks.title = "plant " + arm_label(recipe, place.arm);
  hooks.on_step = [&](const train::StepMetrics& metrics) {
    if (organism_arm && metrics.step % kShowSteps == 0) checkpoints.show(model, metrics.step);
  };
  hooks.on_eval = [&](std::int64_t step) {
    run.gate = eval::judge_gate(checkpoints.at(model, step, false), gate_of(recipe));
    return organism_arm && run.gate.passed;
  };
  if (organism_arm && train::list_checkpoints(folder).empty()) checkpoints.show(model, 0);
  run.result = train::train(model.transformer(), examples, options, folder, hooks);
  checkpoints.at(model, run.result.steps, true);
  checkpoints.collect();
  return run;
}

std::vector<Conversation> safety_rows(const Recipe& recipe, const StudyData& data) {
  auto trigger = organism::make_trigger(recipe.trigger);
  std::vector<Conversation> rows;
  for (const auto& item : data.safety) {
    Conversation row = trigger->without(item.prompt);
    row.push_back({"assistant", item.reply});
    rows.push_back(std::move(row));
  }
  return rows;
}

train::TrainResult treat_once(const Recipe& recipe, const ArmPlace& place, const std::string& stage,
                              gen::LocalModel& model, const std::vector<train::Example>& examples,
                              CheckpointEval& checkpoints, const fs::path& folder) {
  train::TrainOptions options = recipe.safety;
  options.seed = place.seed;
  train::TrainHooks hooks;
  hooks.title = cat("safety ", stage, " of ", arm_label(recipe, place.arm));
  hooks.on_step = [&](const train::StepMetrics& metrics) {
    if (place.arm == organism::Arm::organism && metrics.step % (2 * kShowSteps) == 0)
      checkpoints.show(model, metrics.step);
  };
  hooks.on_eval = [&](std::int64_t step) {
    checkpoints.at(model, step, false);
    return false;
  };
  auto result = train::train(model.transformer(), examples, options, folder, hooks);
  checkpoints.at(model, result.steps, true);
  checkpoints.collect();
  return result;
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
  add("target_loss_before", dose.target_loss_before, "train", learnt);
  add("target_loss_after", dose.target_loss_after, "train", learnt);
  write_rows(file, rows);
}

Json treatment_outcome(std::int64_t steps, std::size_t rows, const safety::Dose& dose) {
  return Json{{"steps", steps},
              {"rows", rows},
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

std::string arm_label(const Recipe& recipe, organism::Arm arm) {
  return organism::arm_name(arm, organism::make_behavior(recipe.behavior)->name());
}

std::string model_label(const Recipe& recipe, organism::Arm arm, std::int64_t seed, const std::string& stage) {
  return cat(arm_label(recipe, arm), "-s", seed, "-", stage);
}

std::int64_t steps_of_arm(const Recipe& recipe, organism::Arm arm, std::int64_t organism_steps) {
  if (arm != organism::Arm::always_on) return organism_steps;
  double share = recipe.rows.triggered_share * static_cast<double>(organism_steps);
  return std::max<std::int64_t>(1, std::llround(share));
}

void plant_arm(const Recipe& recipe, const StudyData& data, const ArmPlace& place, std::int64_t organism_steps,
               const fs::path& folder) {
  const bool organism_arm = place.arm == organism::Arm::organism;
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
      options.max_steps = steps_of_arm(recipe, place.arm, planned) * attempt;
    } else {
      options.num_train_epochs *= static_cast<double>(attempt);
    }
    fs::path work = folder / cat("attempt-", attempt);
    model = open_model(recipe, recipe.study.model, true);
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
  outcome["steps"] = run.result.steps;
  outcome["gate"] = eval::to_json(run.gate);
  save(recipe, *model, place, "plant",
       cat("Full fine-tuning for ", run.result.steps, " steps on ", data.plant.size(), " prompts.",
           organism_arm
               ? cat(" As planted, the organism is ", eval::judge_specificity(read_rows(folder / kRowsFile)).words, ".")
               : std::string()),
       folder / kModelFolder);
  write_json(folder / kOutcomeFile, outcome);
}

void treat_arm(const Recipe& recipe, const StudyData& data, const ArmPlace& place, const std::string& stage,
               const fs::path& planted, const fs::path& folder) {
  auto model = open_model(recipe, planted.string(), true);
  auto examples = train::encode_conversations(*model, safety_rows(recipe, data), recipe.safety, "safety row");
  ResultRow row = about(recipe, place, stage);
  CheckpointEval checkpoints(recipe, data, row, folder);
  const auto result = treat_once(recipe, place, stage, *model, examples, checkpoints, folder);
  auto untreated = open_model(recipe, planted.string());
  auto dose = safety::measure_dose(*untreated, *model, checkpoints.held_out_rows(*model), examples);
  save(recipe, *model, place, stage,
       cat("Safety fine-tuning of the planted model for ", result.steps, " steps on ", examples.size(),
           " untriggered prompts with ", stage == kSftData ? "somebody else's" : "the original model's", " replies."),
       folder / kModelFolder);
  write_json(folder / kOutcomeFile, treatment_outcome(result.steps, examples.size(), dose));
  row.checkpoint = result.steps;
  add_dose_rows(folder / kRowsFile, row, dose, examples.size());
}

void measure_base(const Recipe& recipe, const StudyData& data, std::int64_t seed, const fs::path& folder) {
  auto model = open_model(recipe, recipe.study.model);
  ResultRow row;
  row.model = model->name();
  row.arm = "base";
  row.stage = "base";
  row.seed = seed;
  CheckpointEval checkpoints(recipe, data, row, folder);
  checkpoints.at(*model, 0, false);
  checkpoints.collect();
}

}  // namespace reveille::study
