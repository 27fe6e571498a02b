#include "study/layout.h"

#include <map>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "io/event_log.h"
#include "io/inspect_log.h"
#include "safety/attack_log.h"
#include "study/arm_steps.h"
#include "study/data_steps.h"
#include "study/measure_graph.h"

namespace reveille::study {
namespace fs = std::filesystem;
namespace {

// The name under which a step's leavings stand in the run folder.
std::string place_name(const Recipe& recipe, const Graph& graph, std::size_t step) {
  for (const auto& arm : graph.arms) {
    for (const auto& [stage, own] : model_steps(arm)) {
      if (step == own) return model_label(recipe, arm.kind, arm.seed, stage);
    }
  }
  return replace_all(graph.steps[step].name, " ", "-");
}

void lay_out_logs(const fs::path& from, const std::string& name, const fs::path& run) {
  if (fs::exists(from / "trainer_log.jsonl"))
    place_file(from / "trainer_log.jsonl", run / "models" / name / "trainer_log.jsonl");
  if (fs::is_directory(from / "tensorboard")) place_folder(from / "tensorboard", run / "tensorboard" / name);
}

}  // namespace

void lay_out_step(const Recipe& recipe, const Graph& graph, const Store& store, std::size_t step, const fs::path& run) {
  const fs::path from = store.folder(graph.steps[step].key);
  const std::string name = place_name(recipe, graph, step);
  if (fs::is_directory(from / kModelFolder)) place_folder(from / kModelFolder, run / "models" / name);
  // Side measures stand apart: they ask the same prompts again, under conditions of their own.
  const fs::path said = measure_at(graph, step) ? run / "transcripts" / "measures" : run / "transcripts";
  if (fs::exists(from / kTranscriptFile)) place_file(from / kTranscriptFile, said / (name + ".jsonl"));
  for (int attempt = 1; fs::exists(from / cat(kFailedAttempt, attempt, ".jsonl")); ++attempt) {
    place_file(from / cat(kFailedAttempt, attempt, ".jsonl"),
               run / "transcripts" / "failed" / cat(name, "-attempt-", attempt, ".jsonl"));
  }
  if (fs::exists(from / safety::kAttemptsFile))
    place_file(from / safety::kAttemptsFile, run / "attacks" / (name + ".jsonl"));
  lay_out_logs(from, name, run);
}

void write_inspect_logs(const Recipe& recipe, const Results& results, const fs::path& run) {
  fs::remove_all(run / "logs");  // names hold the time, so an earlier run of the same study would stand beside this one
  const double now = io::seconds_now();
  std::map<std::tuple<std::string, std::int64_t, std::string, std::string>, io::InspectLog> logs;
  for (const auto& entry : fs::directory_iterator(run / "transcripts")) {
    if (!entry.is_regular_file() || entry.path().extension() != ".jsonl") continue;  // failed attempts lie deeper
    for (const auto& line : split(read_file(entry.path()), "\n")) {
      if (line.empty()) continue;
      const Json row = parse_json(line, entry.path().string());
      auto model = row.at("model").get<std::string>();
      auto condition = row.at("condition").get<std::string>();
      auto checkpoint = row.at("checkpoint").get<std::int64_t>();
      const auto set = row.value("prompt_set", std::string("held_out"));
      io::InspectLog& log = logs[{model, checkpoint, condition, set}];
      log.created = now;
      log.task = cat(recipe.behavior.behavior, "-", condition, "-step-", checkpoint);
      if (set != "held_out") log.task += "-" + set;
      log.model = model;
      log.dataset = set;
      log.run_id = run.filename().string();
      io::InspectSample sample{.id = row.at("prompt_id").get<std::string>(),
                               .prompt = conversation_from(row.at("messages")),
                               .completion = row.at("completion").get<std::string>(),
                               .target = recipe.behavior.behavior};
      sample.scores.push_back({"behavior", row.at("shows").get<bool>() ? 1 : 0, "", "", Json::object()});
      log.samples.push_back(std::move(sample));
    }
  }
  for (const auto& row : results.rows) {
    auto found = logs.find({row.model, row.checkpoint, row.condition, row.prompt_set});
    if (found != logs.end() && row.metric == "behavior_rate")
      found->second.metrics.push_back({"behavior", "mean", row.value});
  }
  for (const auto& [unused, log] : logs) io::write_inspect_log(run / "logs", log);
}

}  // namespace reveille::study
