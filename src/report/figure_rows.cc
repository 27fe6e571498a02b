#include "report/figure_rows.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

#include "base/error.h"
#include "base/strings.h"
#include "report/words.h"

namespace reveille::report {
namespace {

bool matches(const ResultRow& row, const Query& query) {
  const bool in_set = query.set.empty() ? !is_side_set(row) : row.prompt_set == query.set;
  return row.arm == query.arm && row.stage == query.stage && row.condition == query.condition &&
         row.metric == query.metric && in_set && std::isfinite(row.value);
}

bool counts(const Results& results, const ResultRow& row) {
  return !is_organism(row.arm) || !failed_gate(results, row.arm, row.seed);
}

// Mean, lowest and highest of several seeds.
template <class Words>
std::string over_seeds_cell(const std::vector<Measured>& figures, Words words) {
  const auto [low, high] = std::minmax_element(
      figures.begin(), figures.end(), [](const Measured& a, const Measured& b) { return a->value < b->value; });
  const bool same = (*low)->value == (*high)->value;
  return cat(words(mean_of(figures)), same ? "" : cat(" (", words((*low)->value), " to ", words((*high)->value), ")"),
             ", n = ", with_commas(figures.front()->n), " each");
}

std::string interval_part(const Figure& figure, const std::string& interval) {
  return std::isfinite(figure.low) && std::isfinite(figure.high) ? cat(" ", interval) : std::string();
}

// Where each pair of seeds says the same. `low` and `high` give the span that a figure of b's stands for.
template <class Low, class High>
Beside agreed(const Common& both, Low low, High high) {
  std::optional<Beside> out;
  for (std::size_t i = 0; i < both.a.size(); ++i) {
    const Figure &a = *both.a[i], &b = *both.b[i];
    const Beside one = a.low > high(b) ? Beside::above : a.high < low(b) ? Beside::below : Beside::not_apart;
    if (out.value_or(one) != one) return Beside::not_apart;
    out = one;
  }
  return out.value_or(Beside::not_apart);
}

}  // namespace

std::vector<Measured> figures_of(const Results& results, const Query& query) {
  std::map<std::int64_t, Figure> by_seed;
  for (const auto& row : results.rows) {
    if (!matches(row, query) || !counts(results, row)) continue;
    const Figure figure{row.value, row.ci_low, row.ci_high, row.n, row.checkpoint, row.seed};
    const auto [at, fresh] = by_seed.emplace(row.seed, figure);
    const bool better =
        query.first ? figure.checkpoint < at->second.checkpoint : figure.checkpoint >= at->second.checkpoint;
    if (!fresh && better) at->second = figure;
  }
  std::vector<Measured> out;
  for (const auto& [unused, figure] : by_seed) out.emplace_back(figure);
  return out;
}

std::vector<Model> models_with(const Results& results, const std::string& metric, const std::string& set) {
  std::vector<Model> out;
  for (const auto& row : results.rows) {
    const Model model{row.arm, row.stage};
    const bool wanted = row.metric == metric && row.prompt_set == set && std::isfinite(row.value);
    if (wanted && std::find(out.begin(), out.end(), model) == out.end() && counts(results, row)) out.push_back(model);
  }
  return out;
}

std::vector<Model> organisms_with(const Results& results, const std::string& metric, const std::string& set) {
  auto out = models_with(results, metric, set);
  std::erase_if(out, [](const Model& model) { return !is_organism(model.arm); });
  return out;
}

std::string model_words(const Model& model) {
  if (model.arm == "base") return "the starting model";
  return cat(model.arm, model.stage == "plant" ? std::string(" as planted") : cat(" after ", model.stage));
}

std::string rate_with_n(const std::vector<Measured>& figures) {
  if (figures.empty()) return "–";
  if (figures.size() > 1) return over_seeds_cell(figures, percent);
  const Figure& one = *figures.front();
  return cat(percent(one.value), interval_part(one, interval_words(one.low, one.high)), ", n = ", with_commas(one.n));
}

std::string value_with_n(const std::vector<Measured>& figures, int decimals) {
  if (figures.empty()) return "–";
  if (figures.size() > 1) return over_seeds_cell(figures, [&](double value) { return fixed(value, decimals); });
  const Figure& one = *figures.front();
  return cat(fixed(one.value, decimals), interval_part(one, interval_text(one.low, one.high, decimals)),
             ", n = ", with_commas(one.n));
}

std::string runs_words(std::size_t count) {
  if (count == 1) return "one run";
  return cat(count, count < kSeedsForAClaim ? " runs" : " seeds");
}

Common common_seeds(const std::vector<Measured>& a, const std::vector<Measured>& b) {
  Common out;
  for (const auto& one : a) {
    const auto same = std::find_if(b.begin(), b.end(), [&](const Measured& other) { return other->seed == one->seed; });
    if (same == b.end()) continue;
    out.a.push_back(one);
    out.b.push_back(*same);
  }
  return out;
}

Beside beside(const std::vector<Measured>& a, const std::vector<Measured>& b) {
  return agreed(
      common_seeds(a, b), [](const Figure& figure) { return figure.low; },
      [](const Figure& figure) { return figure.high; });
}

Beside beside_values(const std::vector<Measured>& a, const std::vector<Measured>& b) {
  const auto value = [](const Figure& figure) { return figure.value; };
  return agreed(common_seeds(a, b), value, value);
}

Beside beside_value(const std::vector<Measured>& a, double value) {
  const auto same = [value](const Figure&) { return value; };
  return agreed({a, a}, same, same);
}

}  // namespace reveille::report
