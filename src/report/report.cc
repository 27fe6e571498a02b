#include "report/report.h"

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "report/assets.h"
#include "report/findings.h"
#include "report/html.h"
#include "report/run_folder.h"
#include "report/sections.h"

namespace reveille::report {
namespace {

// Only our two scripts may run, nothing may be fetched, nothing sent. Styles are inline because
// the charts set them on their elements.
std::string content_policy(std::string_view vega, std::string_view script) {
  return cat("default-src 'none'; script-src ", csp_hash(vega), " ", csp_hash(script),
             "; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'");
}

Json page_data(const Charts& charts) {
  Json out{{"config", parse_json(asset("charts/config.json"), "charts/config.json")}, {"charts", Json::array()}};
  for (const auto& chart : charts) out["charts"].push_back(Json{{"id", chart.id}, {"spec", chart.spec}});
  return out;
}

std::string page_of(const RunFolder& run) {
  const auto findings = find_all(run.results);
  Charts charts;
  const std::string trainer = section_trainer(run, findings, charts);
  const std::string reveal = section_reveal(run, findings, charts);
  const std::string paper = section_paper(run, findings, charts);
  const std::string planting = section_planting(run, charts);
  const std::string vega(asset("vega.js"));
  const std::string script(asset("report.js"));
  return fill(asset("report.html"), {{"policy", content_policy(vega, script)},
                                     {"name", escape(run.name)},
                                     {"style", std::string(asset("report.css"))},
                                     {"headline", section_headline(findings)},
                                     {"trainer", trainer},
                                     {"reveal", reveal},
                                     {"samples", section_samples(run, findings)},
                                     {"paper", paper},
                                     {"figures", section_figures(run)},
                                     {"planting", planting},
                                     {"settings", section_settings(run)},
                                     {"provenance", section_provenance(run)},
                                     {"ledger", section_ledger(run)},
                                     {"again", section_again(run)},
                                     {"missing", section_missing(run)},
                                     {"data", script_json(page_data(charts))},
                                     {"vega", vega},
                                     {"script", script}});
}

}  // namespace

std::filesystem::path make_report(const std::filesystem::path& run_folder) {
  auto path = run_folder / "report.html";
  write_file_atomic(path, page_of(read_run_folder(run_folder)));
  return path;
}

}  // namespace reveille::report
