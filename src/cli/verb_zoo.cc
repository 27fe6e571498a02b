// zoo: many models with and without backdoors, scanned, and the figures of it.
#include <charconv>
#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/progress.h"
#include "base/strings.h"
#include "cli/verb.h"
#include "cli/zoo_table.h"
#include "study/zoo_build.h"
#include "study/zoo_figures.h"

namespace reveille::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* kDefaultFolder = "runs/zoo";

struct Counted {
  std::int64_t only = 0;
  void visit(OptionVisitor& v) { v.option("only", only, {.help = "the first so many models; 0: all", .min = 0}); }
};

struct BuildCommand {
  std::string recipe, output_dir = kDefaultFolder, store;
  std::vector<std::string> assignments;
  bool dry_run = false;
  Counted counted;
};

int print_plan(const study::ZooRecipe& zoo, std::int64_t only) {
  auto plan = study::plan_zoo(zoo);
  if (only > 0 && static_cast<std::size_t>(only) < plan.size()) plan.resize(static_cast<std::size_t>(only));
  std::printf("%s", plan_table(plan).c_str());
  return 0;
}

// What did not come out as the recipe wanted, for people; nothing of it is lost from the others.
void print_outcome(const study::ZooOutcome& outcome, const std::string& folder) {
  std::printf("%zu models in %s, %zu of them built now", outcome.models, folder.c_str(), outcome.built);
  if (outcome.built > 0)
    std::printf(", %s each", human_seconds(outcome.seconds / static_cast<double>(outcome.built)).c_str());
  std::printf("\n");
  for (const auto& name : outcome.closed) std::printf("gate not passed, no backdoor to find: %s\n", name.c_str());
}

int build(const std::vector<std::string>& arguments) {
  BuildCommand command;
  CommandLine line(
      "zoo build",
      "Builds the models of a zoo: organisms of many kinds and as many benign fine-tunes, each in a folder of\n"
      "its own without a label, the truth beside it (docs/zoo.md). Run it again to go on where it stopped.\n"
      "key=value are settings of the recipe's models, as 'study' takes them.",
      "  reveille zoo build --output-dir runs/zoo\n"
      "  reveille zoo build --only 8 --output-dir runs/little-zoo\n"
      "  reveille zoo build mine.yaml --output-dir runs/mine model=MODEL --dry-run\n");
  line.positional("RECIPE", command.recipe, "a zoo's recipe; none: the built-in one, 'zoo'", false);
  line.value("output-dir", command.output_dir, "the zoo's folder");
  line.value("store", command.store, "where finished steps are kept; none: .store in the zoo's folder");
  line.flag("dry-run", command.dry_run, "print the models and stop");
  line.options(command.counted);
  line.assignments(command.assignments, study::recipe_keys());
  if (!line.parse(arguments)) return 0;
  auto zoo = study::open_zoo(command.recipe.empty() ? "zoo" : command.recipe);
  for (const auto& assignment : command.assignments) study::override_zoo(zoo, assignment);
  if (command.dry_run) return print_plan(zoo, command.counted.only);
  const auto outcome =
      study::build_zoo(zoo, {.output_dir = command.output_dir, .store = command.store, .only = command.counted.only});
  print_outcome(outcome, command.output_dir);
  if (!outcome.failed.empty())
    fail(ErrorKind::numeric, cat(outcome.failed.size(), " models could not be made: ", join(outcome.failed, "; ")),
         "the others are there; started again, these are tried again");
  return 0;
}

struct ScanCommand : Counted {
  std::string budget = "quick", base = "with", split = "both";
  std::int64_t seed = 0;
  void visit(OptionVisitor& v) {
    v.option("budget", budget, {.help = "scan's budget", .choices = {"quick", "standard", "deep"}});
    v.option("base", base,
             {.help = "scan with the starting model as a reference, without (adapters are merged first), or both",
              .choices = {"with", "without", "both"}});
    v.option("split", split, {.help = "the models of one split", .choices = {"both", study::kTune, study::kTest}});
    v.option("seed", seed, {.help = "scan's seed", .min = 0});
    Counted::visit(v);
  }
};

std::vector<std::string> own_scan() {
  std::error_code error;
  const auto self = fs::read_symlink("/proc/self/exe", error);
  return {error ? "reveille" : self.string(), "scan"};
}

int scan(const std::vector<std::string>& arguments) {
  ScanCommand command;
  std::string zoo;
  std::vector<std::string> handed_on;
  CommandLine line(
      "zoo scan",
      "Runs 'reveille scan' on every model of a zoo, each in a process of its own that is told nothing but the\n"
      "model, and keeps what it says in ZOO/scans/. Run it again to go on where it stopped. How often a string\n"
      "that was found fires is then measured on held-out prompts. --pass hands an argument on to scan.",
      "  reveille zoo scan runs/zoo --budget quick --base both\n"
      "  reveille zoo scan runs/zoo --split test --pass device=cuda\n");
  line.positional("ZOO", zoo, "what 'reveille zoo build' filled");
  line.values("pass", handed_on, "an argument for scan");
  line.options(command);
  if (!line.parse(arguments)) return 0;
  study::ZooScanOptions options{.zoo = zoo, .program = own_scan(), .budget = command.budget, .seed = command.seed};
  options.only = command.only;
  options.arguments = handed_on;
  if (command.split != "both") options.split = command.split;
  std::vector<std::string> failed;
  for (const bool base : {true, false}) {
    if (command.base == (base ? "without" : "with")) continue;
    options.base = base;
    const auto outcome = study::scan_zoo(options);
    std::printf("%s: %zu scanned now, %zu before%s\n", study::scan_set(options).c_str(), outcome.scanned, outcome.there,
                outcome.scanned > 0
                    ? cat(", ", human_seconds(outcome.seconds / static_cast<double>(outcome.scanned)), " each").c_str()
                    : "");
    failed.insert(failed.end(), outcome.failed.begin(), outcome.failed.end());
  }
  if (!failed.empty())
    fail(ErrorKind::numeric, cat(failed.size(), " scans ended with an error: ", join(failed, "; ")),
         "the others are kept; started again, these are scanned again");
  return 0;
}

int figures(const std::vector<std::string>& arguments) {
  std::string zoo;
  FormatOptions format;
  CommandLine line(
      "zoo figures",
      "The figures of a scanned zoo, from what 'reveille zoo scan' kept, for each set of scans: how well the\n"
      "score tells, triggers recovered, by kind, time, each detector alone and left out. Nothing is scanned.\n"
      "They are also written into ZOO/figures.json.",
      "  reveille zoo figures runs/zoo\n");
  line.positional("ZOO", zoo, "what 'reveille zoo build' filled and 'reveille zoo scan' scanned");
  line.options(format);
  if (!line.parse(arguments)) return 0;
  Json all = Json::object();
  for (const auto& set : study::scan_sets(zoo)) {
    const auto scans = study::read_scans(zoo, set);
    if (!scans.empty()) all[set] = study::zoo_figures(scans);
  }
  write_json(fs::path(zoo) / "figures.json", all);
  if (format.json()) {
    std::printf("%s\n", json_page(all).c_str());
    return 0;
  }
  for (const auto& [set, one] : all.items()) std::printf("%s\n", zoo_table(set, one).c_str());
  return 0;
}

}  // namespace

int run_zoo(const std::vector<std::string>& arguments) {
  const std::vector<std::string> actions = {"build", "scan", "figures"};
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h") {
    std::printf(
        "Usage: reveille zoo ACTION [options]\n\nActions:\n  build     models with and without backdoors, of many "
        "kinds\n"
        "  scan      'reveille scan' on every one of them\n  figures   how well that told them apart\n");
    return arguments.empty() ? 2 : 0;
  }
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (arguments[0] == "build") return build(rest);
  if (arguments[0] == "scan") return scan(rest);
  if (arguments[0] == "figures") return figures(rest);
  fail(ErrorKind::usage, cat("reveille zoo: unknown action '", arguments[0], "'", did_you_mean(arguments[0], actions)));
}

}  // namespace reveille::cli
