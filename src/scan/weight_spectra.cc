#include "scan/weight_spectra.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

#include "scan/rounded.h"

namespace reveille::scan {
namespace {

constexpr std::int64_t kLeading = 16;    // singular values of each matrix
constexpr std::int64_t kDirections = 4;  // of each writing matrix, at most

// "model.layers.3.mlp.down_proj" -> "down_proj"
std::string kind_of(const std::string& name) { return name.substr(name.rfind('.') + 1); }

}  // namespace

void SpectrumMeans::add(const Spectrum& spectrum) {
  if (spectrum.above == 0) return;
  const double weight = spectrum.energy;
  weight_ += weight;
  top_ += weight * spectrum.top_share;
  four_ += weight * spectrum.top_four_share;
  stable_ += weight * spectrum.stable_rank;
  effective_ += weight * spectrum.effective_rank;
  kurtosis_ += weight * spectrum.kurtosis;
  ++matrices_;
}

Json SpectrumMeans::to_json() const {
  if (weight_ <= 0) return {{"matrices", 0}};
  return {{"matrices", matrices_},
          {"top_share", rounded(top_ / weight_)},
          {"top_four_share", rounded(four_ / weight_)},
          {"stable_rank", rounded(stable_ / weight_)},
          {"effective_rank", rounded(effective_ / weight_)},
          {"kurtosis", rounded(kurtosis_ / weight_)}};
}

WeightSpectra::WeightSpectra(const WeightChanges& changes, std::int64_t seed) {
  std::uint64_t index = 0;
  changes.each_matrix([&](const MatrixChange& change) {
    Spectrum spectrum =
        spectrum_of(change.difference, change.noise, kLeading, static_cast<std::uint64_t>(seed) + index++);
    add_directions(change, spectrum);
    energy_ += spectrum.energy;
    top_ += spectrum.energy * spectrum.top_share;
    reference_energy_ += change.reference_energy;
    all_.add(spectrum);
    kinds_[kind_of(change.name)].add(spectrum);
    spectrum.leading.left = at::Tensor();  // of all matrices they would be as large as a model
    rows_.push_back({change.name, std::move(spectrum), change.reference_energy});
  });
}

void WeightSpectra::add_directions(const MatrixChange& change, const Spectrum& spectrum) {
  const bool attention = change.parameter.ends_with(".attn_out");
  if (!attention && !change.parameter.ends_with(".down")) return;
  for (std::int64_t i = 0; i < std::min(kDirections, spectrum.above); ++i) {
    const double value = spectrum.leading.values[static_cast<std::size_t>(i)];
    const double share = (value * value - spectrum.edge * spectrum.edge) / spectrum.energy;
    directions_.push_back({change.name, change.layer, attention, share, spectrum.leading.left.select(1, i).clone()});
  }
}

double WeightSpectra::agreement() const {
  std::map<std::string, at::Tensor> first;
  for (const Direction& direction : directions_) first.try_emplace(direction.matrix, direction.vector);
  if (first.size() < 2) return 0;
  std::vector<at::Tensor> rows;
  for (const auto& [matrix, vector] : first) rows.push_back(vector);
  const at::Tensor all = at::stack(rows);
  const auto count = static_cast<double>(rows.size());
  return (at::matmul(all, all.t()).abs().sum().item<double>() - count) / (count * (count - 1));
}

Json WeightSpectra::largest() const {
  std::vector<std::pair<double, const Row*>> order;
  for (const Row& row : rows_)
    order.emplace_back(std::sqrt(row.spectrum.energy / std::max(row.reference_energy, 1e-30)), &row);
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) { return a.first > b.first; });
  if (order.size() > 10) order.resize(10);
  Json out = Json::array();
  for (const auto& [change, row] : order) {
    const Spectrum& spectrum = row->spectrum;
    out.push_back({{"matrix", row->name},
                   {"relative_change", change},
                   {"top_share", rounded(spectrum.top_share)},
                   {"stable_rank", rounded(spectrum.stable_rank)},
                   {"effective_rank", rounded(spectrum.effective_rank)},
                   {"kurtosis", rounded(spectrum.kurtosis)},
                   {"above_rounding", spectrum.above}});
  }
  return out;
}

Json WeightSpectra::to_json() const {
  Json kinds = Json::object();
  for (const auto& [kind, means] : kinds_) kinds[kind] = means.to_json();
  return {{"changed_matrices", rows_.size()},
          {"relative_change", reference_energy_ > 0 ? std::sqrt(energy_ / reference_energy_) : 0},
          {"concentration", rounded(concentration())},
          {"agreement", rounded(agreement())},
          {"all", all_.to_json()},
          {"by_kind", kinds},
          {"largest", largest()}};
}

}  // namespace reveille::scan
