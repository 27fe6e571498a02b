// sweep.html: what a sweep's runs found on one page. It needs no script, so none may run.
#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/strings.h"
#include "report/assets.h"
#include "report/findings.h"
#include "report/html.h"
#include "report/sweep.h"

namespace reveille::report {
namespace {

constexpr const char* kPolicy =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'";

std::string link_of(const SweepPoint& point) {
  if (!point.failed.empty()) return "–";
  return cat("<a href=\"./", escape(point.folder), "/report.html\">report</a>");
}

std::string table_html(const std::vector<SweepPoint>& points) {
  const auto table = table_of(points);
  std::vector<Column> columns;
  for (const auto& name : table.head) columns.push_back({name});
  columns.push_back({"page"});
  std::vector<std::vector<std::string>> rows;
  for (std::size_t i = 0; i < table.lines.size(); ++i) {
    rows.emplace_back();
    for (const auto& cell : table.lines[i]) rows.back().push_back(typeset(cell));
    rows.back().push_back(link_of(points[table.of[i]]));
  }
  std::string out = html_table(kSweepTitle, columns, rows), below;
  for (const auto& line : table.below) below += cat("<li>", typeset(line), "</li>\n");
  return below.empty() ? out : cat(out, "<ul class=\"caveats\">", below, "</ul>\n");
}

// Of runs without a line in the table, too.
std::string runs_html(const std::vector<SweepPoint>& points) {
  std::string out;
  for (const auto& point : points) out += cat("<li>", escape(point.folder), ": ", link_of(point), "</li>\n");
  return out.empty() ? out : cat("<ul>", out, "</ul>\n");
}

const std::string* model_of(const SweepPoint& point) {
  const auto found = std::find_if(point.settings.begin(), point.settings.end(), [](const auto& one) {
    return one.first == "model" || one.first == "model_name_or_path";
  });
  return found == point.settings.end() ? nullptr : &found->second;
}

// How many seeds with a verdict every organism and treatment of a run has at least: no organism, or a treatment too
// weak to claim anything of, is none.
std::size_t least_seeds(const SweepPoint& point) {
  std::size_t least = 0;
  bool any = false;
  for (const auto& finding : find_all(point.results)) {
    const auto seeds =
        static_cast<std::size_t>(std::count_if(finding.seeds.begin(), finding.seeds.end(), [](const SeedFinding& seed) {
          return seed.verdict == Verdict::survived || seed.verdict == Verdict::weakened ||
                 seed.verdict == Verdict::removed;
        }));
    least = any ? std::min(least, seeds) : seeds;
    any = true;
  }
  return least;
}

}  // namespace

std::string size_words(const std::vector<SweepPoint>& points) {
  std::vector<std::string> names;
  std::map<std::string, std::size_t> seeds;  // of a model in several runs the least
  for (const auto& point : points) {
    const auto* model = model_of(point);
    if (!model) continue;
    const auto [at, fresh] = seeds.emplace(*model, least_seeds(point));
    if (fresh) names.push_back(*model);
    if (!fresh) at->second = std::min(at->second, least_seeds(point));
  }
  if (names.empty()) return {};
  auto with = [&](std::size_t least) {
    return std::count_if(seeds.begin(), seeds.end(), [&](const auto& one) { return one.second >= least; });
  };
  constexpr std::ptrdiff_t kModels = 3;
  const std::string tried = cat(names.size(), names.size() == 1 ? " model" : " models", " (", join(names, ", "), "); ");
  if (with(1) < kModels) return tried + "size claim: not run (needs verdicts of three models of one family).";
  if (with(kSeedsForAClaim) < kModels)
    return tried + "size claim: not run (needs three seeds with each of three models of one family).";
  return cat(tried, "size claim: ", with(kSeedsForAClaim),
             " of them have three seeds or more. If these are of one family, the lines may be read by size, beside the "
             "paper's figure 11; if they are not, nothing is claimed.");
}

std::string sweep_page(const std::vector<SweepPoint>& points) {
  const std::string size = size_words(points);
  return fill(asset("sweep.html"), {{"policy", kPolicy},
                                    {"style", std::string(asset("report.css"))},
                                    {"size", size.empty() ? "" : cat("<p class=\"lead\">", typeset(size), "</p>\n")},
                                    {"table", points.empty() ? "<p>no runs</p>\n" : table_html(points)},
                                    {"runs", runs_html(points)}});
}

}  // namespace reveille::report
