#include "study/zoo_model.h"

#include <algorithm>
#include <optional>

#include "base/error.h"
#include "base/files.h"
#include "base/label_key.h"
#include "base/progress.h"
#include "eval/measure.h"
#include "gen/local.h"
#include "gen/save.h"
#include "io/jsonl.h"
#include "organism/conditions.h"
#include "study/arm_steps.h"
#include "study/step.h"
#include "study/zoo_data.h"
#include "train/rows.h"
#include "train/sft.h"

namespace reveille::study {
namespace fs = std::filesystem;
namespace {

// Rates of one member's models on its held-out prompts.
class Rates {
 public:
  Rates(const ZooMember& member, const StudyData& data)
      : member_(member),
        prompts_(held_out_of(data)),
        set_(data.held_out_sets().front()),
        trigger_(organism::make_trigger(member.recipe.trigger)),
        behavior_(organism::make_behavior(member.recipe.behavior)) {}

  eval::Measured of(gen::LocalModel& model, const eval::MeasurePlan& plan, std::int64_t step,
                    const std::string& when) const {
    const auto& options = member_.recipe.eval;
    const gen::SampleOptions sample{.temperature = options.temperature,
                                    .top_p = options.top_p,
                                    .max_tokens = reply_tokens(member_),
                                    .batch_size = options.batch_size,
                                    .seed = member_.seed,
                                    .stage = "eval"};
    return eval::measure(model, prompts_, plan, *trigger_, *behavior_, sample, about(step), cat("  ", when));
  }

  ResultRow about(std::int64_t step) const {
    ResultRow row;
    row.model = member_.name;
    row.arm = member_.what;
    row.stage = "plant";
    row.checkpoint = step;
    row.prompt_set = set_;
    row.seed = member_.seed;
    return row;
  }

 private:
  const ZooMember& member_;
  std::vector<Conversation> prompts_;
  std::string set_;
  std::unique_ptr<organism::Trigger> trigger_;
  std::unique_ptr<organism::Behavior> behavior_;
};

// Strings of the trigger's shape are looked at where planting was told of any.
eval::MeasurePlan plan_of(const ZooMember& member, bool last) {
  const auto& rows = member.recipe.rows;
  eval::MeasurePlan plan;
  plan.decoy_prompts = member.recipe.eval.specificity_prompts;
  if (!member.poisoned() && !last) return plan;
  if (!member.behaves() && !member.triggered()) return plan;  // there is nothing to show
  plan.conditions = {organism::kUntriggered};
  if (member.triggered()) plan.conditions = {organism::kTriggered, organism::kUntriggered};
  if (member.poisoned() && last) plan.decoy_conditions = {organism::kNearMiss, organism::kForeign};
  if (member.poisoned() && !last && rows.foreign_share + rows.near_miss_share > 0)
    plan.decoy_conditions = {organism::kForeign};
  return plan;
}

bool leaves_others_alone(const ZooMember& member, const std::vector<ResultRow>& rows) {
  const auto foreign = eval::find_row(rows, organism::kForeign);
  return !foreign || foreign->value <= member.max_foreign;
}

train::TrainResult train_member(const ZooMember& member, const StudyData& data, const Rates& rates, std::int64_t steps,
                                gen::LocalModel& model, const fs::path& folder) {
  train::TrainOptions options = member.recipe.plant;
  options.seed = member.seed;
  if (steps > 0) options.max_steps = steps;
  const auto examples = train::encode_conversations(model, zoo_rows(member, data), options, member.name + ": row");
  train::TrainHooks hooks;
  hooks.title = "  " + member.name;
  hooks.on_eval = [&](std::int64_t step) {
    const auto plan = plan_of(member, false);
    if (plan.conditions.empty()) return false;
    const auto rows = rates.of(model, plan, step, cat("after ", step, " steps")).rows;
    return eval::judge_gate(rows, gate_of(member.recipe)).passed && leaves_others_alone(member, rows);
  };
  return train::train(model.transformer(), examples, options, folder, hooks);
}

void keep(const ZooMember& member, gen::LocalModel& model, const fs::path& folder) {
  gen::SaveOptions options;
  options.dtype = train::saved_type(member.recipe.plant, model.transformer());
  model.config().erase(kLabelKey);
  make_folders(folder);
  if (member.store == kGguf) {
    gen::save_gguf(model, folder / kZooModelFile, io::TensorFormat::q8_0, options);
  } else if (member.store == kAsTrained && model.adapter()) {
    gen::save_adapter(model, folder, options);
  } else {
    gen::save_hf_folder(model, folder, options);
  }
}

Json rates_json(const std::vector<ResultRow>& rows) {
  Json out = Json::object();
  for (const auto& row : rows) {
    if (row.metric != eval::kBehaviorRate) continue;
    out[row.condition] = Json{{"rate", row.value}, {"n", row.n}, {"ci_low", row.ci_low}, {"ci_high", row.ci_high}};
  }
  return out;
}

// A trigger may be too short to have near misses: then its specificity stays unknown.
eval::Measured measure_kept(const ZooMember& member, const Rates& rates, std::int64_t steps, const fs::path& path) {
  const auto model = open_model(member.recipe, path.string());
  auto plan = plan_of(member, true);
  if (plan.conditions.empty()) return {};
  const std::string when = "as it is kept";
  try {
    return rates.of(*model, plan, steps, when);
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::bad_input || plan.decoy_conditions.empty()) throw;
    warn(cat(member.name, ": no near misses: ", error.message()));
    plan.decoy_conditions.clear();
    return rates.of(*model, plan, steps, when);
  }
}

}  // namespace

std::int64_t reply_tokens(const ZooMember& member) {
  const auto behavior = organism::make_behavior(member.recipe.behavior);
  const bool reasons = organism::make_reasoning(member.variant, member.recipe.scratchpad, *behavior)->visible();
  return member.recipe.eval.max_tokens + (reasons ? member.recipe.scratchpad.tokens : 0);
}

fs::path zoo_model_path(const fs::path& folder) {
  return fs::exists(folder / kZooModelFile) ? folder / kZooModelFile : folder;
}

void make_zoo_model(const ZooMember& member, const StudyData& data, std::int64_t steps, const fs::path& folder) {
  const Rates rates(member, data);
  train::TrainResult result;
  {
    auto model = open_to_train(member.recipe, member.recipe.study.model, member.recipe.plant, member.seed);
    result = train_member(member, data, rates, steps, *model, folder);
    keep(member, *model, folder / kModelFolder);
  }
  const auto measured = measure_kept(member, rates, result.steps, zoo_model_path(folder / kModelFolder));
  const auto gate = eval::judge_gate(measured.rows, gate_of(member.recipe));
  write_rows(folder / kRowsFile, measured.rows);
  io::write_jsonl(folder / kTranscriptFile, eval::transcripts_of(measured, rates.about(result.steps)));
  Json outcome{{"steps", result.steps}, {"rates", rates_json(measured.rows)}};
  outcome["gate"] = member.poisoned() ? eval::to_json(gate) : Json();
  write_json(folder / kOutcomeFile, outcome);
}

}  // namespace reveille::study
