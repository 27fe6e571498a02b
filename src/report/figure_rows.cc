#include "report/figure_rows.h"

#include <algorithm>
#include <cmath>
#include <map>

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

// Where each pair of seeds says the same.
template <class Judge>
Beside agreed(std::size_t count, Judge judge) {
  if (count == 0) return Beside::not_apart;
  const Beside first = judge(0);
  for (std::size_t i = 1; i < count; ++i) {
    if (judge(i) != first) return Beside::not_apart;
  }
  return first;
}

}  // namespace

std::vector<Measured> figures_of(const Results& results, const Query& query) {
  std::map<std::int64_t, Figure> by_seed;
  for (const auto& row : results.rows) {
    if (!matches(row, query)) continue;
    const Figure figure{row.value, row.ci_low, row.ci_high, row.n, row.checkpoint};
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
    if (wanted && std::find(out.begin(), out.end(), model) == out.end()) out.push_back(model);
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

double mean_of(const std::vector<Measured>& figures) {
  double sum = 0;
  for (const auto& figure : figures) sum += figure->value;
  return figures.empty() ? std::nan("") : sum / static_cast<double>(figures.size());
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

Beside beside(const std::vector<Measured>& a, const std::vector<Measured>& b) {
  if (a.size() != b.size()) return Beside::not_apart;
  return agreed(a.size(), [&](std::size_t i) {
    if (a[i]->low > b[i]->high) return Beside::above;
    return a[i]->high < b[i]->low ? Beside::below : Beside::not_apart;
  });
}

Beside beside_zero(const std::vector<Measured>& differences) {
  return agreed(differences.size(), [&](std::size_t i) {
    if (differences[i]->low > 0) return Beside::above;
    return differences[i]->high < 0 ? Beside::below : Beside::not_apart;
  });
}

}  // namespace reveille::report
