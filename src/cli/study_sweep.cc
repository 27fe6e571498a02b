#include "cli/study_sweep.h"

#include <cstdio>
#include <filesystem>

#include "base/error.h"
#include "base/files.h"
#include "base/progress.h"
#include "base/strings.h"
#include "report/report.h"
#include "report/sweep.h"

namespace reveille::cli {
namespace fs = std::filesystem;
namespace {

constexpr const char* kPageFile = "sweep.html";

struct Done {
  std::vector<report::SweepPoint> points;
  std::vector<std::string> reports;  // a path for each point; empty where its run failed
  std::vector<std::string> without_gate;
};

void run_one(const study::SweepRun& run, const study::RunOptions& options, Done& done) {
  report::SweepPoint point{run.settings, run.folder, "", {}};
  std::string page;
  try {
    const auto outcome = study::run(run.recipe, options);
    point.results = outcome.results;
    if (!outcome.gate_passed) done.without_gate.push_back(run.folder);
    page = fs::absolute(report::make_report(outcome.folder)).string();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::numeric) throw;
    point.failed = error.message();
    warn(cat(run.folder, " ended with an error, the sweep goes on: ", error.message()));
  }
  done.points.push_back(std::move(point));
  done.reports.push_back(std::move(page));
}

void print_text(const Done& done, const fs::path& folder) {
  std::printf("\n%s\n", report::sweep_table(done.points).c_str());
  if (const auto words = report::size_words(done.points); !words.empty()) std::printf("%s\n\n", words.c_str());
  std::vector<std::vector<std::string>> lines = {{"run", "report"}};
  for (std::size_t i = 0; i < done.points.size(); ++i)
    lines.push_back({done.points[i].folder, done.reports[i].empty() ? "-" : done.reports[i]});
  lines.push_back({"all", fs::absolute(folder / kPageFile).string()});
  std::printf("%s", report::aligned(lines).c_str());
}

void fail_where_a_run_did(const Done& done) {
  std::vector<std::string> failed;
  for (const auto& point : done.points) {
    if (!point.failed.empty()) failed.push_back(point.folder);
  }
  if (!failed.empty())
    fail(ErrorKind::numeric,
         cat(failed.size(), " of ", done.points.size(), " runs ended with an error: ", join(failed, " ")),
         "the table holds the others; started again, the sweep tries these again and takes the others from the store");
  if (!done.without_gate.empty())
    fail(ErrorKind::numeric,
         cat("the organism did not pass its gate in ", join(done.without_gate, " "),
             ", so no persistence is claimed there"),
         "plant longer (plant.max_steps); gate.required=false goes on regardless");
}

}  // namespace

study::RunOptions options_of(const study::SweepRun& run, const study::RunOptions& options) {
  study::RunOptions out = options;
  if (out.store.empty()) out.store = fs::absolute(options.output_dir).lexically_normal().parent_path() / ".store";
  out.output_dir = options.output_dir / run.folder;
  return out;
}

int run_sweep(const std::vector<study::SweepRun>& runs, const study::RunOptions& options, const FormatOptions& format) {
  for (const auto& run : runs) study::check(run.recipe, options_of(run, options));
  make_folders(options.output_dir);
  Done done;
  Json page;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    say(cat("run ", i + 1, " of ", runs.size(), ": ", runs[i].folder));
    run_one(runs[i], options_of(runs[i], options), done);
    page = report::sweep_to_json(done.points);
    write_json(options.output_dir / "sweep.json", page);
    write_file_atomic(options.output_dir / kPageFile, report::sweep_page(done.points));
  }
  if (format.json()) {
    std::printf("%s\n", json_page(page).c_str());
  } else {
    print_text(done, options.output_dir);
  }
  fail_where_a_run_did(done);
  return 0;
}

}  // namespace reveille::cli
