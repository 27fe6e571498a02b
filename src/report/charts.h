// The charts of a report, as Vega-Lite JSON: a declaration from web/charts/ with the rows filled in.
#pragma once

#include <string>
#include <vector>

#include "base/json.h"
#include "report/findings.h"
#include "report/run_folder.h"

namespace reveille::report {

struct Chart {
  std::string id;     // of the element that it is drawn into
  std::string title;  // plain text
  std::string alt;    // the same in a sentence, for those who do not see it
  Json spec;          // null when there is nothing to draw
  bool empty() const { return spec.is_null(); }
};

// All take the results of the finding's arm and treatment; `id` must be unique in the page. Steps
// of planting count down to 0, where the treatment starts, so that seeds line up.
Chart chart_treatment_loss(const std::string& id, const RunFolder& run, const Finding& finding);
Chart chart_untriggered(const std::string& id, const RunFolder& run, const Finding& finding);
Chart chart_perplexity(const std::string& id, const RunFolder& run, const Finding& finding);
Chart chart_persistence(const std::string& id, const RunFolder& run, const Finding& finding);
Chart chart_twin(const std::string& id, const RunFolder& run, const Finding& finding);
Chart chart_arms(const std::string& id, const RunFolder& run, const Finding& finding);
Chart chart_specificity(const std::string& id, const RunFolder& run, const Finding& finding);
// With the trigger over the steps of one treatment, a line for each of the findings, which share that treatment.
Chart chart_courses(const std::string& id, const RunFolder& run, const std::vector<const Finding*>& findings);
Chart chart_planting_loss(const std::string& id, const RunFolder& run);

}  // namespace reveille::report
