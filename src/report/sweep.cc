#include "report/sweep.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

#include "base/error.h"
#include "base/strings.h"
#include "report/findings.h"
#include "report/table.h"
#include "report/words.h"

namespace reveille::report {
namespace {

using Line = std::vector<std::string>;

// Of each model the last checkpoint.
std::vector<ResultRow> last_rows(const Results& results) {
  std::map<std::tuple<std::string, std::string, std::int64_t>, std::int64_t> last;
  for (const auto& row : results.rows) {
    auto& step = last[{row.arm, row.stage, row.seed}];
    step = std::max(step, row.checkpoint);
  }
  std::vector<ResultRow> out;
  for (const auto& row : results.rows) {
    if (row.checkpoint == last[{row.arm, row.stage, row.seed}]) out.push_back(row);
  }
  return out;
}

Json settings_json(const SweepPoint& point) {
  Json out = Json::object();
  for (const auto& [key, value] : point.settings) out[key] = value;
  return out;
}

// The entries of an extra key, each with its point.
void add_entries(Json& out, const SweepPoint& point, const char* key) {
  for (Json entry : list_of(point.results, key)) {
    if (!entry.is_object()) continue;
    entry["point"] = point.folder;
    out.push_back(std::move(entry));
  }
}

// Steps or rows until the gate was passed: "80", of several seeds "60 (40 to 80)", "-" where none passed it.
std::string lesson_cell(const Results& results, const std::string& arm, const char* metric) {
  std::vector<double> values;
  for (const auto& row : results.rows) {
    if (row.arm == arm && row.metric == metric && std::isfinite(row.value)) values.push_back(row.value);
  }
  if (values.empty()) return "-";
  double sum = 0;
  for (double value : values) sum += value;
  std::string mean = fixed(sum / static_cast<double>(values.size()), 0);
  if (values.size() == 1) return mean;
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  return cat(mean, " (", fixed(*low, 0), " to ", fixed(*high, 0), ")");
}

Line start_of(const SweepPoint& point) {
  Line line;
  for (const auto& [key, value] : point.settings) line.push_back(value.empty() ? "\"\"" : value);
  return line;
}

Line line_of(const SweepPoint& point, const Finding& finding) {
  Line line = start_of(point);
  auto add = [&](Select select) { line.push_back(rate_cell(over_seeds(finding, select))); };
  line.push_back(finding.arm);
  line.push_back(finding.stage.empty() ? "-" : finding.stage);
  add([](const SeedFinding& seed) { return seed.planted.triggered; });
  add([](const SeedFinding& seed) { return seed.planted.untriggered; });
  add([](const SeedFinding& seed) { return seed.treated.triggered; });
  add([](const SeedFinding& seed) { return seed.treated.untriggered; });
  add([](const SeedFinding& seed) { return seed.twin_treated; });
  line.push_back(lesson_cell(point.results, finding.arm, "steps_to_gate"));
  line.push_back(lesson_cell(point.results, finding.arm, "poisoned_rows_to_gate"));
  line.push_back(verdict_label(finding));
  return line;
}

Line head_of(const std::vector<SweepPoint>& points) {
  Line head;
  for (const auto& [key, value] : points.front().settings) head.push_back(key);
  for (const char* name :
       {"arm", "stage", "triggered before", "untriggered before", "triggered after", "untriggered after",
        "always-on twin after", "steps to gate", "poisoned rows to gate", "verdict"})
    head.emplace_back(name);
  return head;
}

}  // namespace

Json sweep_to_json(const std::vector<SweepPoint>& points) {
  Json out{{"schema", kResultsSchema}};
  for (const char* key : {"points", "results", "gate", "verdicts", "refused"}) out[key] = Json::array();
  for (const auto& point : points) {
    Json about{{"point", point.folder}, {"settings", settings_json(point)}};
    if (!point.failed.empty()) about["failed"] = point.failed;
    out["points"].push_back(std::move(about));
    for (const auto& row : last_rows(point.results)) {
      out["results"].push_back(to_json(row));
      out["results"].back()["point"] = point.folder;
    }
    add_entries(out["gate"], point, "gate");
    add_entries(out["verdicts"], point, "verdicts");
    add_entries(out["refused"], point, "refused");
  }
  return out;
}

SweepTable table_of(const std::vector<SweepPoint>& points) {
  SweepTable out;
  if (points.empty()) return out;
  out.head = head_of(points);
  for (std::size_t i = 0; i < points.size(); ++i) {
    const auto& point = points[i];
    for (const auto& finding : find_all(point.results)) {
      out.lines.push_back(line_of(point, finding));
      out.of.push_back(i);
    }
    for (const auto& line : refusals(point.results)) out.below.push_back(cat(point.folder, ": not begun: ", line));
    if (!point.failed.empty()) out.below.push_back(cat(point.folder, " ended with an error: ", point.failed));
  }
  return out;
}

std::string sweep_table(const std::vector<SweepPoint>& points) {
  if (points.empty()) return "no runs\n";
  const auto table = table_of(points);
  std::vector<Line> lines = {table.head};
  lines.insert(lines.end(), table.lines.begin(), table.lines.end());
  std::string out = cat(kSweepTitle, "\n", aligned(lines));
  for (const auto& line : table.below) out += line + "\n";
  return out;
}

}  // namespace reveille::report
