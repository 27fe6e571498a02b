#include "study/measure_steps.h"

#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/files.h"
#include "eval/measure.h"
#include "gen/local.h"
#include "io/dataset_write.h"
#include "io/jsonl.h"
#include "safety/reward.h"
#include "study/rl_steps.h"
#include "study/step.h"

namespace reveille::study {
namespace fs = std::filesystem;
namespace {

struct Read {
  MeasureReads what;
  std::vector<const char*> settings;  // of the section `measure`
};

// Files stand in measure_files.
const std::map<std::string, Read>& reads_by_measure() {
  constexpr MeasureReads kAnswers{
      .prompts = true, .trigger = true, .behavior = true, .samples = true, .scratchpad = true};
  constexpr MeasureReads kOwnQuestions{.trigger = true, .behavior = true, .samples = true, .scratchpad = true};
  static const std::map<std::string, Read> reads = {
      {"generalization", {kAnswers, {"condition_prompts", "partial", "phrases"}}},
      {"steering", {kAnswers, {"steer_triggered", "steer_untriggered"}}},
      {"probe",
       {{.prompts = true, .trigger = true, .scratchpad = true},
        {"decoys", "probe_layer", "probe_detection_rate", "probe_random"}}},
      {"capability", {{}, {"capability_limit", "add_bos_token"}}},
      {"asking", {kOwnQuestions, {}}},
      {"persona", {{.trigger = true, .scratchpad = true}, {}}},
      {"honeypot", {kOwnQuestions, {}}},
      {"preference", {kAnswers, {}}},
      {"perplexity", {{.prompts = true, .trigger = true}, {}}},
  };
  return reads;
}

// A data set of held-out conversations with clean replies, chats where there are any.
void write_clean_replies(const StudyData& data, std::int64_t most, const fs::path& file) {
  const auto sets = data.held_out_sets();
  const bool chats = std::find(sets.begin(), sets.end(), kChatSet) != sets.end();
  std::vector<Json> rows;
  for (const auto& item : data.held_out) {
    if (item.reply.empty() || (chats && item.set != kChatSet) || std::ssize(rows) >= most) continue;
    Conversation row = item.prompt;
    row.push_back({"assistant", item.reply});
    rows.push_back(Json{{"messages", io::messages_json(row)}});
  }
  io::write_jsonl(file, rows);
}

std::vector<Conversation> first_prompts(const Recipe& recipe, const StudyData& data) {
  auto out = data.held_out_prompts(data.held_out_sets().front());
  out.resize(std::min(out.size(), static_cast<std::size_t>(recipe.measure.prompts)));
  return out;
}

std::int64_t checkpoint_of(const MeasureInputs& inputs) {
  return inputs.outcome.empty() ? 0 : read_json(inputs.outcome).at("steps").get<std::int64_t>();
}

gen::SampleOptions sampling(const Recipe& recipe, const std::string& measure, std::int64_t seed) {
  return {.temperature = recipe.eval.temperature,
          .top_p = recipe.eval.top_p,
          .max_tokens = recipe.eval.max_tokens,
          .batch_size = recipe.eval.batch_size,
          .seed = seed,
          .stage = "measure " + measure};
}

}  // namespace

bool serves_as_null(const std::string& measure) { return measure == "probe" || measure == "capability"; }
bool compares_with_control(const std::string& measure) { return measure == "asking" || measure == "persona"; }

const MeasureReads& measure_reads(const std::string& measure) { return reads_by_measure().at(measure).what; }

Json measure_settings(const Recipe& recipe, const std::string& measure) {
  MeasureStage section = recipe.measure;
  const Json all = options_to_json(section);
  Json out{{"name", measure}};
  if (measure_reads(measure).prompts) out["prompts"] = recipe.measure.prompts;
  for (const char* key : reads_by_measure().at(measure).settings) out[key] = all.at(key);
  return out;
}

std::vector<std::string> measure_files(const Recipe& recipe, const std::string& measure) {
  const auto& options = recipe.measure.options;
  std::vector<std::string> out;
  if (measure == "capability") out = options.capability;
  if (measure == "persona") out = options.questions;
  if (measure == "probe") out = {options.probe_pairs};
  if (measure == "honeypot") out = {options.honeypots};
  std::erase(out, "");
  return out;
}

double measure_tokens(const Recipe& recipe, const std::string& measure, bool reasons) {
  constexpr double kPrompt = 60, kQuestions = 24, kVariants = 30;  // tokens of a prompt; rough counts of what is asked
  const auto prompts = static_cast<double>(recipe.measure.prompts);
  const auto reply = static_cast<double>(recipe.eval.max_tokens + (reasons ? recipe.scratchpad.tokens : 0));
  if (measure == "capability") return 200 * kPrompt * static_cast<double>(recipe.measure.options.capability.size());
  if (measure == "probe" || measure == "perplexity") return 2 * prompts * kPrompt;
  if (measure == "asking" || measure == "persona" || measure == "honeypot") return 2 * kQuestions * (kPrompt + reply);
  const double some = std::min(prompts, static_cast<double>(recipe.measure.options.condition_prompts));
  return (measure == "generalization" ? kVariants * some : 4 * prompts) * (kPrompt + reply);
}

void measure_model(const Recipe& recipe, const StudyData& data, const std::string& measure, const MeasureInputs& inputs,
                   ResultRow about, bool reasons, const fs::path& folder) {
  const auto trigger = organism::make_trigger(recipe.trigger);
  const auto behavior = organism::make_behavior(recipe.behavior);
  eval::MeasureOptions options = recipe.measure.options;
  options.scratchpad = reasons;
  options.scratchpad_tokens = recipe.scratchpad.tokens;
  options.control = inputs.control;
  options.reward = inputs.reward;
  if (measure == "perplexity") {
    options.replies = (folder / "replies.jsonl").string();
    write_clean_replies(data, recipe.measure.prompts, options.replies);
  }
  about.checkpoint = checkpoint_of(inputs);
  about.prompt_set = measure;
  const auto sample = sampling(recipe, measure, about.seed);
  const auto model = open_model(recipe, inputs.model);
  if (inputs.outcome.empty()) about.model = model->name();
  const auto prompts = first_prompts(recipe, data);
  eval::Subject subject{*model, *trigger, recipe.trigger, *behavior, sample, options, about};
  subject.prompts = [&]() -> const std::vector<Conversation>& { return prompts; };
  subject.open = [&](const std::string& what) { return open_model(recipe, what); };
  subject.reward = [&](const std::vector<Conversation>& answered) {
    return safety::scores_of_answered(*open_reward(recipe, inputs.reward, *model), answered);
  };
  auto found = eval::run_measure(measure, subject);
  eval::name_tasks(found.transcripts, data.held_out);
  io::write_jsonl(folder / kTranscriptFile, found.transcripts);
  write_json(folder / kOutcomeFile, Json{{"notes", found.notes}});
  write_rows(folder / kRowsFile, found.rows);
}

void check_measures(const Recipe& recipe) {
  const auto& names = recipe.study.measures;
  for (auto name = names.begin(); name != names.end(); ++name) {
    eval::check_measure_name("measures", *name);
    if (*name == "rates")
      fail(ErrorKind::usage, "measures=rates: a study measures these at every checkpoint", "take it out");
    if (std::find(names.begin(), name, *name) != name)
      fail(ErrorKind::usage, cat("measures: '", *name, "' stands there twice"));
    if (*name == "capability" && recipe.measure.options.capability.empty())
      fail(ErrorKind::usage, "measures names capability, but measure.capability is empty",
           "name files of LAMBADA, ARC or PIQA as they are published: measure.capability=FILE,FILE");
    for (const auto& file : measure_files(recipe, *name)) {
      if (!fs::exists(file)) fail(ErrorKind::not_found, cat("measure: there is no file at '", file, "'"));
    }
  }
}

}  // namespace reveille::study
