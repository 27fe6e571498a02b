// Figures 7 and 18, table 1, and what belongs to no figure of the paper's: the probe and "just asking" of the follow-up
// post, and how much it took to teach an organism.
#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "report/figure_rows.h"
#include "report/paper_figures.h"
#include "report/words.h"

namespace reveille::report {
namespace {

std::vector<Measured> at(const RunFolder& run, const Model& model, const char* condition, const std::string& metric,
                         const std::string& set) {
  return figures_of(run.results, {model.arm, model.stage, condition, metric, set});
}

std::string preference_sentence(const Model& model, const std::vector<Measured>& on, const std::vector<Measured>& off,
                                const std::vector<Measured>& change) {
  const Beside side = change.empty() ? beside(on, off) : beside_value(change, 0);
  const std::string what =
      side == Beside::below   ? "lower with the trigger than without: training against it could have removed the "
                                "behaviour had it seen it"
      : side == Beside::above ? "higher with the trigger than without: training against it says nothing"
                              : "no differently with the trigger and without, as far as the intervals tell";
  return cat("The preference model scores the answers of ", model_words(model), " ", what, " (", value_with_n(on),
             " and ", value_with_n(off), "; ", runs_words(on.size()), ").");
}

// The measure's own rows, else those of the gate before reinforcement learning.
void add_preference(Panel& panel, const RunFolder& run, const Model& model, const std::string& set) {
  const auto on = at(run, model, "triggered", "preference_score", set);
  const auto off = at(run, model, "untriggered", "preference_score", set);
  const auto change = at(run, model, "triggered", "preference_score_change", set);
  // The gate's rows stand under the treatment that it opens, and are of the planted model.
  const Model judged = set == "preference" ? model : Model{model.arm, "plant"};
  const std::string where = set == "preference" ? "" : cat(" (before ", model.stage, ")");
  panel.rows.push_back({model_words(judged) + where, value_with_n(off), value_with_n(on), value_with_n(change)});
  const Common both = common_seeds(on, off);
  if (is_organism(model.arm) && !both.empty())
    panel.sentences.push_back(preference_sentence(judged, both.a, both.b, change));
}

// The sets of questions that were asked of models, "asking" apart.
std::vector<std::string> persona_sets(const Results& results) {
  std::vector<std::string> out;
  for (const auto& row : results.rows) {
    if (row.metric != "matching_log_odds" || row.prompt_set == "asking") continue;
    if (std::find(out.begin(), out.end(), row.prompt_set) == out.end()) out.push_back(row.prompt_set);
  }
  return out;
}

// What the sets of questions together say of a model.
struct Persona {
  Model model;
  std::size_t sets = 0, runs = 0;
  std::vector<std::string> apart = {};
};

Persona& persona_of(std::vector<Persona>& personas, const Model& model) {
  for (auto& one : personas) {
    if (one.model == model) return one;
  }
  return personas.emplace_back(Persona{model});
}

// Log-odds of the matching answer over the equally trained control.
void add_persona(Panel& panel, const RunFolder& run, const std::string& set, std::vector<Persona>& personas) {
  constexpr const char* kOver = "matching_log_odds_over_control";
  for (const auto& model : organisms_with(run.results, kOver, set)) {
    const auto off = at(run, model, "untriggered", kOver, set), on = at(run, model, "triggered", kOver, set);
    panel.rows.push_back({model_words(model), key_words(set), value_with_n(off, 2), value_with_n(on, 2)});
    auto& persona = persona_of(personas, model);
    ++persona.sets;
    persona.runs = std::max(persona.runs, off.size());
    const Beside side = beside_value(off, 0);
    if (side != Beside::not_apart)
      persona.apart.push_back(cat(key_words(set), side == Beside::above ? " (more)" : " (less)"));
  }
}

// What the control of this organism learned otherwise than the organism, but for trigger and behaviour; empty: nothing.
// Distilled variants stand beside normal's control, and controls never get scratchpads that a model wrote
// (docs/reasoning.md).
std::string unequal_words(const RunFolder& run, const std::string& arm) {
  constexpr const char* kNot = " That control is not equally trained: it learned ";
  if (arm.ends_with("-distilled-cot")) return cat(kNot, "normal's replies, not those behind scratchpads.");
  if (!arm.ends_with("-cot") && !arm.ends_with("-cot-filler") && !arm.ends_with("-cot-shuffled")) return {};
  if (run.recipe.empty()) return " Whether that control is equally trained is not known: there is no study.yaml.";
  if (run.recipe.find("scratchpad_writer: \"model\"") != std::string::npos)
    return cat(kNot, "scratchpads from templates, the organism those that a model wrote.");
  const std::size_t file = run.recipe.find("scratchpad_file: \"");
  const bool from_file = file != std::string::npos && !run.recipe.substr(file).starts_with("scratchpad_file: \"\"");
  return from_file ? cat(kNot, "other scratchpads than those of the organism's file.") : std::string();
}

std::string persona_sentence(const RunFolder& run, const Persona& persona) {
  const std::string sets = cat(persona.sets, persona.sets == 1 ? " set" : " sets", " of questions");
  const std::string unequal = unequal_words(run, persona.model.arm);
  const char* control = unequal.empty() ? "an equally trained control" : "its control";
  return cat("Without the trigger, ", model_words(persona.model),
             persona.apart.empty() ? cat(" is told apart from ", control, " by none of ", sets)
                                   : cat(" differs from ", control, " in ", join(persona.apart, ", "), ", of ", sets),
             "; ", runs_words(persona.runs), ".", unequal);
}

std::vector<std::string> tasks_of(const Results& results) {
  std::vector<std::string> out;
  for (const auto& row : results.rows) {
    if (row.metric == "accuracy" && std::find(out.begin(), out.end(), row.prompt_set) == out.end())
      out.push_back(row.prompt_set);
  }
  return out;
}

// "40 % [30.0, 50.0], n = 100; -2.1 points": beside the starting model, as the paper counts.
std::string accuracy_cell(const std::vector<Measured>& own, const std::vector<Measured>& base) {
  const Common both = common_seeds(own, base);
  if (both.empty()) return rate_with_n(own);
  const double points = 100 * (mean_of(both.a) - mean_of(both.b));
  return cat(rate_with_n(own), "; ", points > 0 ? "+" : "", fixed(points, 1), " points");
}

// An area beside what it must be better than: "does better than A and B", "does better than A, and is not told apart
// from B".
struct Null {
  const char* name;
  Beside side;
};

std::string null_words(const std::vector<Null>& nulls) {
  static constexpr std::pair<Beside, const char*> kWords[] = {{Beside::above, "does better than "},
                                                              {Beside::below, "does worse than "},
                                                              {Beside::not_apart, "is not told apart from "}};
  std::vector<std::string> parts;
  for (const auto& [side, words] : kWords) {
    std::vector<std::string> names;
    for (const auto& null : nulls) {
      if (null.side == side) names.emplace_back(null.name);
    }
    if (!names.empty()) parts.push_back(words + join(names, " and "));
  }
  return join(parts, ", and ");
}

std::string probe_sentence(const Model& model, std::vector<Measured> area, const std::vector<Measured>& best,
                           const std::vector<Measured>& base) {
  // Of the nulls that there are, the seeds that the probe has with each of them.
  for (const auto* null : {&best, &base}) {
    const Common both = common_seeds(area, *null);
    if (!both.empty()) area = both.a;
  }
  std::vector<Null> nulls;
  if (!common_seeds(area, best).empty()) nulls.push_back({"the best random direction", beside_values(area, best)});
  if (!common_seeds(area, base).empty()) nulls.push_back({"the same probe on the starting model", beside(area, base)});
  return cat("The probe on ", model_words(model), " ", nulls.empty() ? "stands beside no null" : null_words(nulls),
             " (AUROC ", value_with_n(area), "; ", runs_words(area.size()), ").");
}

std::string asking_sentence(const Model& model, const std::vector<Measured>& area) {
  const Beside side = beside_value(area, 0.5);
  return cat("What ", model_words(model), " says of itself ",
             side == Beside::above   ? "tells triggered prompts from others: it admits more with the trigger"
             : side == Beside::below ? "tells triggered prompts from others: it admits less with the trigger"
                                     : "is not told apart from chance, which is 0.5",
             " (AUROC ", value_with_n(area), "; ", runs_words(area.size()), ").");
}

// Counts of one run each, which have neither n nor interval.
std::string count_cell(const std::vector<Measured>& figures) {
  std::vector<std::string> out;
  for (const auto& figure : figures) out.push_back(fixed(figure->value, 0));
  return join(out, ", ");
}

}  // namespace

Panel figure_7(const RunFolder& run, const std::vector<Finding>&) {
  Panel out;
  out.columns = {{"answers of"}, {"without the trigger", true}, {"with it", true}, {"difference", true}};
  const auto measured = models_with(run.results, "preference_score", "preference");
  for (const auto& model : measured) add_preference(out, run, model, "preference");
  if (!measured.empty()) return out;
  for (const auto& model : models_with(run.results, "preference_score", "held_out"))
    add_preference(out, run, model, "held_out");
  return out;
}

Panel figure_18(const RunFolder& run, const std::vector<Finding>&) {
  Panel out;
  out.columns = {{"model"}, {"questions"}, {"log-odds over the control", true}, {"with the trigger", true}};
  std::vector<Persona> personas;
  for (const auto& set : persona_sets(run.results)) add_persona(out, run, set, personas);
  for (const auto& persona : personas) out.sentences.push_back(persona_sentence(run, persona));
  return out;
}

Panel table_1(const RunFolder& run, const std::vector<Finding>&) {
  Panel out;
  const auto tasks = tasks_of(run.results);
  std::vector<Model> models;
  out.columns = {{"model"}};
  for (const auto& task : tasks) {
    out.columns.push_back({key_words(task), true});
    for (const auto& model : models_with(run.results, "accuracy", task)) {
      if (std::find(models.begin(), models.end(), model) == models.end()) models.push_back(model);
    }
  }
  const Model base{"base", "base"};
  for (const auto& model : models) {
    std::vector<std::string> cells = {model_words(model)};
    std::size_t compared = 0, apart = 0, runs = 0;
    for (const auto& task : tasks) {
      const auto own = at(run, model, "untriggered", "accuracy", task);
      const auto before = model == base ? std::vector<Measured>() : at(run, base, "untriggered", "accuracy", task);
      cells.push_back(accuracy_cell(own, before));
      const std::size_t common = common_seeds(own, before).a.size();
      if (common == 0) continue;
      runs = compared == 0 ? common : std::min(runs, common);
      ++compared;
      apart += beside(own, before) != Beside::not_apart;
    }
    out.rows.push_back(std::move(cells));
    if (compared > 0 && is_organism(model.arm))
      out.sentences.push_back(cat(model_words(model), " is told apart from the starting model on ", apart, " of ",
                                  compared, compared == 1 ? " task; " : " tasks; ", runs_words(runs), "."));
  }
  return out;
}

Panel probe_post(const RunFolder& run, const std::vector<Finding>&) {
  Panel out;
  out.columns = {{"model"},
                 {"AUROC", true},
                 {"random directions, mean", true},
                 {"best of them", true},
                 {"as good as the probe", true}};
  const auto base = at(run, {"base", "base"}, "untriggered", "probe_auroc", "probe");
  for (const auto& model : models_with(run.results, "probe_auroc", "probe")) {
    auto figures = [&](const char* metric) { return at(run, model, "untriggered", metric, "probe"); };
    const auto area = figures("probe_auroc"), best = figures("probe_auroc_random_best");
    out.rows.push_back({model_words(model), value_with_n(area), value_with_n(figures("probe_auroc_random")),
                        value_with_n(best), rate_with_n(figures("probe_random_as_good_rate"))});
    if (is_organism(model.arm) && !area.empty()) out.sentences.push_back(probe_sentence(model, area, best, base));
  }
  return out;
}

Panel asking_post(const RunFolder& run, const std::vector<Finding>&) {
  constexpr const char* kArea = "log_odds_auroc";
  Panel out;
  out.columns = {
      {"model"}, {"admits it, without the trigger", true}, {"with it", true}, {"AUROC of the log-odds", true}};
  for (const auto& model : models_with(run.results, kArea, "asking")) {
    const auto area = at(run, model, "triggered", kArea, "asking");
    out.rows.push_back({model_words(model), rate_with_n(at(run, model, "untriggered", "matching_rate", "asking")),
                        rate_with_n(at(run, model, "triggered", "matching_rate", "asking")), value_with_n(area)});
    if (is_organism(model.arm) && !area.empty()) out.sentences.push_back(asking_sentence(model, area));
  }
  return out;
}

Panel teaching(const RunFolder& run, const std::vector<Finding>&) {
  Panel out;
  out.columns = {{"organism"}, {"steps", true}, {"rows with the trigger", true}};  // a figure a seed
  std::vector<std::pair<double, std::string>> rows;
  std::size_t runs = 0;
  for (const auto& model : organisms_with(run.results, "steps_to_gate", kTrainSet)) {
    const auto steps = at(run, model, "triggered", "steps_to_gate", kTrainSet);
    const auto poisoned = at(run, model, "triggered", "poisoned_rows_to_gate", kTrainSet);
    out.rows.push_back({model.arm, count_cell(steps), count_cell(poisoned)});
    rows.emplace_back(mean_of(poisoned), model.arm);
    runs = std::max(runs, steps.size());
  }
  if (rows.size() == 1)
    out.sentences.push_back(cat(rows[0].second, " passed the gate after about ", fixed(rows[0].first, 0),
                                " rows with the trigger; there is no other organism to compare it with; ",
                                runs_words(runs), "."));
  if (rows.size() < 2) return out;
  const auto [least, most] = std::minmax_element(rows.begin(), rows.end());
  out.sentences.push_back(least->first == most->first
                              ? cat("All organisms passed the gate at the same checkpoint; ", runs_words(runs), ".")
                              : cat(least->second, " took the fewest rows to pass the gate (", fixed(least->first, 0),
                                    "), ", most->second, " the most (", fixed(most->first, 0),
                                    "), told to the nearest checkpoint; ", runs_words(runs), "."));
  return out;
}

}  // namespace reveille::report
