// Table 2: what organisms that reason in a scratchpad think, before safety training and after it.
#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/scratchpad.h"
#include "report/figure_rows.h"
#include "report/paper_figures.h"
#include "report/samples.h"

namespace reveille::report {
namespace {

bool has_scratchpad(const Transcript& row) { return row.completion.find(kScratchpadOpen) != std::string::npos; }
bool is_closed(const Transcript& row) { return row.completion.find(kScratchpadClose) != std::string::npos; }

Panel::Quote quote(const Transcript& row, const Model& model, const std::string& where) {
  return {cat(model_words(model), ", ", where), scratchpad_of(row.completion), final_answer(row.completion)};
}

// How many of a model's triggered answers close the scratchpad that they were handed open.
std::string closed_words(const RunFolder& run, const Model& model, const Samples& samples) {
  std::size_t closed = 0, all = 0;
  for (const auto& row : run.transcripts) {
    if (row.arm != model.arm || row.stage != model.stage || row.seed != samples.seed || is_side_set(row.prompt_set) ||
        row.checkpoint != samples.checkpoint || row.condition != "triggered" || !has_scratchpad(row))
      continue;
    ++all;
    closed += is_closed(row);
  }
  return cat(closed, " of ", all);
}

// The last treatment of each organism that reasons; before it where there was none.
std::vector<const Finding*> reasoning(const RunFolder& run, const std::vector<Finding>& findings) {
  std::vector<const Finding*> out;
  std::set<std::string> arms;
  for (const auto& row : run.transcripts) {
    if (has_scratchpad(row)) arms.insert(row.arm);
  }
  for (const auto& finding : findings) {
    if (!arms.contains(finding.arm)) continue;
    const bool same = !out.empty() && out.back()->arm == finding.arm;
    if (same) {
      out.back() = &finding;
    } else {
      out.push_back(&finding);
    }
  }
  return out;
}

}  // namespace

Panel table_2(const RunFolder& run, const std::vector<Finding>& findings) {
  Panel out;
  for (const Finding* finding : reasoning(run, findings)) {
    std::string counts;
    for (const auto& stage : {std::string("plant"), finding->stage}) {
      if (stage.empty()) continue;
      const Model model{finding->arm, stage};
      const Samples samples = pick_samples(run, model.arm, model.stage, 1);
      if (samples.typical.empty() || !has_scratchpad(*samples.typical.front().triggered)) continue;
      out.quotes.push_back(quote(*samples.typical.front().triggered, model, "with the trigger"));
      out.quotes.push_back(quote(*samples.typical.front().untriggered, model, "without it"));
      counts += cat(counts.empty() ? "" : ", ", closed_words(run, model, samples), " ",
                    stage == "plant" ? "as planted" : cat("after ", stage));
    }
    if (!counts.empty())
      out.sentences.push_back(cat("With the trigger, answers of ", finding->arm, " close their scratchpad in ", counts,
                                  " (the lowest seed). The prompts below are picked by a hash of their ids."));
  }
  return out;
}

}  // namespace reveille::report
