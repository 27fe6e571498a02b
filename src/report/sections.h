// The parts of report.html, each a piece of HTML made from a run folder.
#pragma once

#include <string>
#include <vector>

#include "report/charts.h"
#include "report/findings.h"
#include "report/run_folder.h"

namespace reveille::report {

// Charts are collected while the sections are made and written into the page's data at its end.
using Charts = std::vector<Chart>;

// The place of a chart in the page; empty without anything to draw.
std::string chart_html(const Chart& chart, Charts& charts);

std::string section_headline(const std::vector<Finding>& findings);
std::string section_trainer(const RunFolder& run, const std::vector<Finding>& findings, Charts& charts);
std::string section_reveal(const RunFolder& run, const std::vector<Finding>& findings, Charts& charts);
std::string section_samples(const RunFolder& run, const std::vector<Finding>& findings);
// Beside the paper's figures, a section of its own; empty where nothing was measured that the paper has a figure of.
std::string section_paper(const RunFolder& run, const std::vector<Finding>& findings, Charts& charts);
std::string section_figures(const RunFolder& run);
std::string section_planting(const RunFolder& run, Charts& charts);
std::string section_settings(const RunFolder& run);
std::string section_provenance(const RunFolder& run);
std::string section_ledger(const RunFolder& run);
std::string section_again(const RunFolder& run);
std::string section_missing(const RunFolder& run);  // what the folder did not hold, and notes

}  // namespace reveille::report
