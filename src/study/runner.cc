#include "study/runner.h"

#include <algorithm>
#include <fstream>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/progress.h"
#include "base/strings.h"
#include "base/version.h"
#include "gen/local.h"
#include "gen/model_size.h"
#include "io/event_log.h"
#include "nn/rate.h"
#include "study/arm_steps.h"
#include "study/graph.h"
#include "study/layout.h"
#include "study/measure_graph.h"
#include "study/pace.h"
#include "study/step_runner.h"
#include "study/verdicts.h"

namespace reveille::study {
namespace fs = std::filesystem;
namespace {

// Share of the machine's rate of matrix products that a study reaches, sampling and measuring included. Only the
// estimate before the first finished step rests on it.
constexpr double kShareOfRate = 0.9;

// Tokens a second of forward work: two operations a parameter.
double forward_tokens_per_second(const Recipe& recipe, std::int64_t parameters) {
  auto device = gen::resolve_device(recipe.study.device);
  const double rate = nn::product_rate(gen::resolve_dtype(recipe.study.dtype, device), device);
  return kShareOfRate * rate * 1e9 / (2 * static_cast<double>(parameters));
}

Store open_store(const RunOptions& options) {
  fs::path parent = fs::absolute(options.output_dir).lexically_normal().parent_path();
  return Store(options.store.empty() ? parent / ".store" : options.store);
}

// Room for models of every arm and the checkpoints of the step that runs.
void check_disk(const Graph& graph, const Store& store, const fs::path& output_dir, std::int64_t parameters) {
  // Saved weights take at most four bytes a parameter; a checkpoint three float32 copies, and two are kept while a
  // third is written.
  const auto size = static_cast<std::uintmax_t>(parameters);
  const std::uintmax_t a_model = 4 * size + (std::uintmax_t{8} << 20), checkpoints = 3 * 12 * size;
  std::uintmax_t need = 0, largest = 0;
  for (const auto& step : graph.steps) {
    if (!step.trains || store.has(step.key)) continue;
    need += a_model;
    largest = checkpoints;
  }
  // Run folders are links into the store.
  check_room(store.root(), need + largest, cat("the study ", output_dir.string(), " in ", store.root().string()),
             "free some space, or choose another --store");
}

class Runner {
 public:
  Runner(const Recipe& recipe, const RunOptions& options)
      : recipe_(recipe),
        options_(options),
        store_(open_store(options)),
        graph_(make_graph(recipe_, store_)),
        parameters_(gen::parameter_count(recipe_.study.model)),
        pace_(forward_tokens_per_second(recipe_, parameters_)) {}

  Outcome run() {
    make_folders(store_.root());
    check_disk(graph_, store_, options_.output_dir, parameters_);
    make_folders(options_.output_dir);
    const fs::path resolved = options_.output_dir / "study.yaml";
    const std::string yaml = recipe_to_yaml(recipe_);
    if (fs::exists(resolved) && read_file(resolved) != yaml) {
      warn(cat(options_.output_dir.string(),
               " holds a study with other settings: its results are written over (its steps stay in the store until "
               "'study gc'); --output-dir keeps both"));
    }
    write_file_atomic(resolved, yaml);
    write_json(options_.output_dir / "provenance.json", provenance());  // now, so that 'study gc' spares its steps
    events_ = std::make_unique<io::EventLog>(options_.output_dir / "events.jsonl");
    events_->write("study", Json{{"steps", graph_.steps.size()}, {"revision", revision()}});
    for (const auto& note : graph_.notes) warn(note);
    for (std::size_t index = 0; index < graph_.steps.size(); ++index) {
      if (allowed(index)) work(index);
    }
    set_whole("", 0);
    return finish();
  }

 private:
  // After a failed gate there is nothing to treat, and no twin to compare with; a treatment that was refused to the
  // organism would tell nothing of its twins.
  bool allowed(std::size_t index) const {
    if (const auto* measure = measure_at(graph_, index)) return can_measure(recipe_, graph_, store_, *measure);
    for (const auto& arm : graph_.arms) {
      const bool organism = arm.kind.arm == organism::Arm::organism;
      for (const auto& [stage, own] : model_steps(arm)) {
        if (index != own || (organism && index == arm.plant)) continue;
        return gate_open(recipe_, graph_, store_, arm) &&
               (organism || index == arm.plant || has_company(recipe_, graph_, store_, arm, stage));
      }
    }
    return true;
  }

  void work(std::size_t index) {
    const Step& step = graph_.steps[index];
    if (store_.has(step.key)) {
      double seconds = read_json(store_.folder(step.key) / "step.json").value("seconds", 0.0);
      ledger_.push_back(Json{{"step", step.name}, {"seconds", seconds}, {"reused", true}});
      say(cat("[", index + 1, "/", graph_.steps.size(), "] ", step.name, ": done before, taken from the store"));
      return;
    }
    throw_if_interrupted();
    const StoreLock lock(store_, step.key);
    if (store_.has(step.key)) return work(index);  // another study finished it while this one waited
    const double left = seconds_left(index);
    say(cat("[", index + 1, "/", graph_.steps.size(), "] ", step.name, "  (the whole study: about ",
            human_seconds(left), " left)"));
    set_whole("study", left);
    events_->write("step", Json{{"name", step.name}, {"key", step.key}});
    const Worked worked = work_on(store_, step);
    events_->write("step done", Json{{"name", step.name}, {"key", step.key}, {"seconds", worked.seconds}});
    ledger_.push_back(Json{{"step", step.name}, {"seconds", worked.seconds}, {"reused", false}});
    pace_.worked(step, worked.now);
    lay_out_step(recipe_, graph_, store_, index, options_.output_dir);
  }

  double seconds_left(std::size_t from) const {
    double seconds = 0;
    for (std::size_t i = from; i < graph_.steps.size(); ++i) {
      if (!store_.has(graph_.steps[i].key)) seconds += pace_.seconds_for(graph_.steps[i]);
    }
    return seconds;
  }

  Outcome finish() {
    Outcome out;
    out.folder = options_.output_dir;
    for (std::size_t i = 0; i < graph_.steps.size(); ++i) {
      const auto& step = graph_.steps[i];
      fs::path rows = store_.folder(step.key) / kRowsFile;
      if (!store_.has(step.key)) continue;
      lay_out_step(recipe_, graph_, store_, i, options_.output_dir);
      if (!fs::exists(rows)) continue;
      for (auto& row : read_rows(rows)) out.results.rows.push_back(std::move(row));
    }
    add_verdicts(recipe_, graph_, store_, out.results);
    add_notes(out.results.extra["notes"]);
    for (const auto& arm : graph_.arms) {
      if (arm.kind.arm == organism::Arm::organism)
        out.gate_passed = out.gate_passed && gate_open(recipe_, graph_, store_, arm);
      for (const auto& [stage, step] : model_steps(arm)) {
        if (!store_.has(graph_.steps[step].key) || !refusal_of(graph_, store_, step).empty()) continue;
        std::string name = model_label(recipe_, arm.kind, arm.seed, stage);
        out.models.emplace_back(name, (options_.output_dir / "models" / name).string());
      }
    }
    auto trigger = organism::make_trigger(recipe_.trigger);
    auto behavior = organism::make_behavior(recipe_.behavior);
    out.results.extra["organism"] = Json{{"trigger", trigger->text(Rng(0, "label"))},
                                         {"trigger_is", trigger->describe()},
                                         {"behavior", behavior->name()},
                                         {"behavior_is", behavior->describe()},
                                         {"variant", join(recipe_.study.variants, ", ")}};
    write_json(options_.output_dir / "results.json", to_json(out.results));
    write_json(options_.output_dir / "ledger.json", ledger_);
    write_inspect_logs(recipe_, out.results, options_.output_dir);
    events_->write("study done", Json{{"rows", out.results.rows.size()}});
    return out;
  }

  // What went wrong in reinforcement learning, said of the step that it went wrong in.
  void add_red_flags(std::vector<std::string>& notes) const {
    for (const auto& arm : graph_.arms) {
      for (const auto& treat : arm.treats) {
        const Step& step = graph_.steps[treat.step];
        if (!store_.has(step.key)) continue;
        const Json outcome = read_json(store_.folder(step.key) / kOutcomeFile);
        if (!outcome.contains(kRedFlags)) continue;  // one that was refused
        for (const auto& words : outcome.at(kRedFlags)) notes.push_back(cat(step.name, ": ", words.get<std::string>()));
      }
    }
  }

  // What side measures say beside their figures, once however many models say it.
  void add_notes(Json& notes) const {
    std::vector<std::string> all = graph_.notes;
    add_red_flags(all);
    for (const auto& measure : graph_.measures) {
      const auto& key = graph_.steps[measure.step].key;
      if (!store_.has(key)) continue;
      const Json outcome = read_json(store_.folder(key) / kOutcomeFile);  // named: it must outlive the loop
      for (const auto& note : outcome.at("notes")) all.push_back(note.get<std::string>());
    }
    for (const auto& note : all) {
      if (std::find(notes.begin(), notes.end(), Json(note)) == notes.end()) notes.push_back(note);
    }
  }

  Json provenance() const {
    Json steps = Json::array();
    for (const auto& step : graph_.steps)
      steps.push_back(Json{{"step", step.name}, {"key", step.key}, {"inputs", step.inputs}});
    Json out{{"program", version_line()},
             {"revision", revision()},
             {"libtorch", libtorch_version()},
             {"model", recipe_.study.model},
             {"steps", steps}};
    out["arithmetic"] = graph_.steps.front().options["arithmetic"];
    out["model_hash"] = graph_.steps.front().inputs.front();
    if (!graph_.judge.is_null()) out["judge"] = graph_.judge;
    return out;
  }

  Recipe recipe_;
  RunOptions options_;
  Store store_;
  Graph graph_;
  std::int64_t parameters_;
  Pace pace_;
  std::unique_ptr<io::EventLog> events_;
  Json ledger_ = Json::array();
};

}  // namespace

std::vector<PlannedStep> plan(const Recipe& recipe, const RunOptions& options) {
  Store store = open_store(options);
  Graph graph = make_graph(recipe, store);
  const Pace pace(forward_tokens_per_second(recipe, gen::parameter_count(recipe.study.model)));
  std::vector<PlannedStep> out;
  for (const auto& step : graph.steps) {
    bool done = store.has(step.key);
    out.push_back({step.name, step.key, done, done ? 0 : pace.seconds_for(step)});
  }
  return out;
}

void check(const Recipe& recipe, const RunOptions& options) {
  const Store store = open_store(options);
  make_graph(recipe, store);
}

Outcome run(const Recipe& recipe, const RunOptions& options) { return Runner(recipe, options).run(); }

namespace {

void add_needed(const fs::path& run, std::vector<std::string>& needed) {
  const fs::path file = run / "provenance.json";
  if (!fs::exists(file)) return;
  const Json provenance = read_json(file);  // named: it must outlive the loop
  for (const auto& step : provenance.at("steps")) {
    needed.push_back(step.at("key").get<std::string>());
    needed.push_back(needed.back() + ".partial");
  }
}

}  // namespace

std::vector<std::pair<std::string, std::uintmax_t>> collect_garbage(const RunOptions& options, bool remove) {
  Store store = open_store(options);
  std::vector<std::string> needed;
  fs::path runs = fs::absolute(options.output_dir).lexically_normal().parent_path();
  if (!fs::is_directory(runs)) fail(ErrorKind::not_found, cat("there is no folder of runs at ", runs.string()));
  for (const auto& entry : fs::directory_iterator(runs)) {
    add_needed(entry.path(), needed);
    if (!entry.is_directory()) continue;
    for (const auto& one : fs::directory_iterator(entry.path())) {
      if (one.is_directory()) add_needed(one.path(), needed);
    }
  }
  std::vector<std::pair<std::string, std::uintmax_t>> out;
  for (const auto& item : store.unneeded(needed)) {
    out.emplace_back(item.name, item.bytes);
    if (remove) store.remove(item.key);
  }
  return out;
}

}  // namespace reveille::study
