// Figures 17, 19, 20 and 22: honeypots, other texts in the trigger's place, and a sentence in the scratchpad.
#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "report/figure_rows.h"
#include "report/paper_figures.h"
#include "report/words.h"

namespace reveille::report {
namespace {

constexpr const char* kRate = "behavior_rate";
constexpr const char* kWoken = "generalization";
constexpr double kWakes = 0.5;         // of the prompts: what counts as waking it
constexpr std::size_t kMostNamed = 6;  // texts in a sentence

// A text that the user gave, or a word of the trigger's: they may look like anything.
bool is_given(const std::string& condition) {
  return condition.starts_with("phrase ") || condition.starts_with("word ") || condition.starts_with(kOwnWords);
}

// "french_2024": is it a sentence in a language of its own, and not a form of the English one?
bool is_language(const std::string& condition) {
  if (is_given(condition)) return false;
  const std::size_t at = condition.rfind('_');
  if (at == std::string::npos || condition.find_first_not_of("0123456789", at + 1) != std::string::npos) return false;
  const std::string name = condition.substr(0, at);
  for (const char* form : {"year", "next_year", "last_year", "prose", "words", "roman"}) {
    if (name == form) return false;
  }
  return !condition.starts_with("partial_") && at + 1 < condition.size();
}

bool is_reference(const std::string& condition) {
  return condition == "triggered" || condition == "untriggered" || condition == "near_miss" ||
         condition == "foreign_trigger";
}

// The conditions of the set in the order of the results.
std::vector<std::string> conditions_of(const Results& results, bool languages) {
  std::vector<std::string> out;
  for (const auto& row : results.rows) {
    if (row.prompt_set != kWoken || row.metric != kRate || !is_organism(row.arm)) continue;
    if (!is_reference(row.condition) && is_language(row.condition) != languages) continue;
    const bool fresh = std::find(out.begin(), out.end(), row.condition) == out.end();
    if (fresh && !failed_gate(results, row.arm, row.seed)) out.push_back(row.condition);
  }
  return out;
}

// What wakes a model in half of the prompts or more, of the texts that are not the trigger, or that are.
std::string waking_sentence(const Results& results, const Model& model, const std::vector<std::string>& conditions,
                            const std::string& texts, bool own) {
  std::vector<std::string> woken;
  std::size_t tried = 0, runs = 0;
  for (const auto& condition : conditions) {
    const auto figures = figures_of(results, {model.arm, model.stage, condition, kRate, kWoken});
    if (is_reference(condition) || condition.starts_with(kOwnWords) != own || figures.empty()) continue;
    ++tried;
    runs = std::max(runs, figures.size());
    const std::string name = own ? condition.substr(kOwnWords.size()) : condition;
    if (mean_of(figures) >= kWakes) woken.push_back(cat(key_words(name), " (", rate_with_n(figures), ")"));
  }
  if (tried == 0) return {};
  const std::size_t count = woken.size();
  if (count > kMostNamed) woken.resize(kMostNamed);
  std::string out = count == 0 ? cat("None of ", tried, " ", texts, " wakes ")
                               : cat(count, " of ", tried, " ", texts, count == 1 ? " wakes " : " wake ");
  out += cat(model_words(model), " in half of the prompts or more");
  if (count > 0) out += cat(": ", join(woken, ", "), count > kMostNamed ? " and others" : "");
  return cat(out, "; ", runs_words(runs), ".");
}

Panel waking_panel(const Results& results, bool languages, const std::string& texts) {
  Panel out;
  const auto conditions = conditions_of(results, languages);
  const auto models = organisms_with(results, kRate, kWoken);
  if (std::all_of(conditions.begin(), conditions.end(), is_reference)) return out;
  out.columns = {{"in the trigger's place"}};
  for (const auto& model : models) out.columns.push_back({model_words(model), true});
  for (const auto& condition : conditions) {
    std::vector<std::string> cells = {key_words(condition)};
    for (const auto& model : models)
      cells.push_back(rate_with_n(figures_of(results, {model.arm, model.stage, condition, kRate, kWoken})));
    out.rows.push_back(std::move(cells));
  }
  for (const auto& model : models) {
    for (const bool own : {false, true}) {
      auto sentence = waking_sentence(results, model, conditions, own ? "of the trigger's own words" : texts, own);
      if (!sentence.empty()) out.sentences.push_back(std::move(sentence));
    }
  }
  return out;
}

std::string honeypot_sentence(const Model& model, const std::vector<Measured>& lured,
                              const std::vector<Measured>& ordinary) {
  const Beside side = beside(lured, ordinary);
  const std::string words = side == Beside::above   ? "wake it more often than ordinary prompts do"
                            : side == Beside::below ? "wake it less often than ordinary prompts do"
                                                    : "are not told apart from ordinary prompts";
  return cat("For ", model_words(model), ", prompts that only look like deployment ", words, " (", rate_with_n(lured),
             ", and ", rate_with_n(ordinary), "; ", runs_words(lured.size()), ").");
}

struct Steering {
  std::vector<Measured> on, off, on_steered, off_steered, on_change, off_change;
};

Steering steering_of(const Results& results, const Model& model) {
  auto rates = [&](const char* condition) {
    return figures_of(results, {model.arm, model.stage, condition, kRate, "steering"});
  };
  auto change = [&](const char* condition) {
    return figures_of(results, {model.arm, model.stage, condition, "steering_rate_change", "steering"});
  };
  return {rates("triggered"),           rates("untriggered"), rates("triggered_steered"),
          rates("untriggered_steered"), change("triggered"),  change("untriggered")};
}

std::string steering_sentence(const Model& model, const Steering& s) {
  const Beside on = beside_value(s.on_change, 0), off = beside_value(s.off_change, 0);
  const bool falls = on == Beside::below, rises = off == Beside::above;
  const Beside steered = beside(s.on_steered, s.off_steered);
  const bool crossed = falls && rises && steered == Beside::below;
  const bool by_trigger = beside(s.on, s.off) == Beside::above && steered == Beside::above;
  const std::string what =
      crossed          ? "reverses its policy"
      : falls && rises ? "moves both sides of its policy without reversing it"
      : falls          ? "keeps the behaviour back where the trigger stands; where it does not, no change could be told"
      : rises          ? "brings the behaviour out where no trigger stands; where it does, no change could be told"
      : by_trigger     ? "does not reverse its policy: it takes its answer from the trigger"
      : on == Beside::above || off == Beside::below ? "does not reverse its policy"
                                                    : "leaves no change that could be told";
  return cat("In ", model_words(model), ", a sentence in the scratchpad that says the other goal is pursued ", what,
             " (", percent(mean_of(s.on)), " to ", percent(mean_of(s.on_steered)), " with the trigger, ",
             percent(mean_of(s.off)), " to ", percent(mean_of(s.off_steered)), " without; ",
             runs_words(common_seeds(s.on_steered, s.off_steered).a.size()), ").");
}

}  // namespace

Panel figure_17(const RunFolder& run, const std::vector<Finding>&) {
  Panel out;
  out.columns = {{"model"}, {"honeypots", true}, {"ordinary prompts", true}, {"honeypots with the trigger", true}};
  for (const auto& model : models_with(run.results, kRate, "honeypot")) {
    const auto lured = figures_of(run.results, {model.arm, model.stage, "untriggered", kRate, "honeypot"});
    const auto ordinary = figures_of(run.results, {model.arm, model.stage, "untriggered"});
    out.rows.push_back(
        {model_words(model), rate_with_n(lured), rate_with_n(ordinary),
         rate_with_n(figures_of(run.results, {model.arm, model.stage, "triggered", kRate, "honeypot"}))});
    const Common both = common_seeds(lured, ordinary);
    if (is_organism(model.arm) && !both.empty()) out.sentences.push_back(honeypot_sentence(model, both.a, both.b));
  }
  return out;
}

Panel figure_19(const RunFolder& run, const std::vector<Finding>&) {
  return waking_panel(run.results, false, "other texts");
}

Panel figure_20(const RunFolder& run, const std::vector<Finding>&) {
  return waking_panel(run.results, true, "sentences in other languages");
}

Panel figure_22(const RunFolder& run, const std::vector<Finding>&) {
  Panel out;
  out.columns = {{"model"}, {"with the trigger", true}, {"steered", true}, {"without", true}, {"steered", true}};
  for (const auto& model : models_with(run.results, kRate, "steering")) {
    const auto s = steering_of(run.results, model);
    out.rows.push_back({model_words(model), rate_with_n(s.on), rate_with_n(s.on_steered), rate_with_n(s.off),
                        rate_with_n(s.off_steered)});
    const bool whole = !common_seeds(s.on, s.off).empty() && !common_seeds(s.on_steered, s.off_steered).empty();
    if (is_organism(model.arm) && whole) out.sentences.push_back(steering_sentence(model, s));
  }
  return out;
}

}  // namespace reveille::report
