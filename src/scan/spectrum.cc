#include "scan/spectrum.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "base/rng.h"

namespace reveille::scan {
namespace {

at::Tensor random_columns(std::int64_t rows, std::int64_t columns, std::uint64_t seed) {
  Rng rng(seed, "random projection");
  std::vector<float> values(static_cast<std::size_t>(rows * columns));
  for (float& value : values) value = static_cast<float>(rng.normal());
  return at::tensor(values, at::kFloat).view({rows, columns});
}

at::Tensor orthonormal(const at::Tensor& columns) { return std::get<0>(at::linalg_qr(columns)); }

double element_kurtosis(const at::Tensor& matrix) {
  const at::Tensor centred = matrix - matrix.mean(at::kDouble).to(at::kFloat);
  const double second = centred.square().mean(at::kDouble).item<double>();
  // Scaled first: fourth powers of small changes leave float32.
  if (second <= 0) return 0;
  return (centred / std::sqrt(second)).pow(4).mean(at::kDouble).item<double>();
}

double noise_edge(const at::Tensor& noise) {
  const double row = noise.sum(1).max().item<double>(), column = noise.sum(0).max().item<double>();
  return std::sqrt(row) + std::sqrt(column);
}

// Rounding adds to a direction's energy about what an edge value has.
double above_edge(double value, double edge) { return value > edge ? value * value - edge * edge : 0; }

double effective_rank_of(const std::vector<double>& shares, std::int64_t directions) {
  double entropy = 0, rest = 1;
  for (const double share : shares) {
    if (share > 0) entropy -= share * std::log(share);
    rest -= share;
  }
  const double others = static_cast<double>(directions) - static_cast<double>(shares.size());
  if (rest > 1e-6 && others > 0) entropy -= rest * std::log(rest / others);
  return std::exp(entropy);
}

void fill_shares(Spectrum& out, std::int64_t directions) {
  std::vector<double> energies;
  double held = 0;
  for (const double value : out.leading.values) {
    energies.push_back(above_edge(value, out.edge));
    held += energies.back();
    if (energies.back() > 0) ++out.above;
  }
  out.energy = std::max(out.energy, held);
  if (held <= 0) return;
  for (std::size_t i = 0; i < energies.size(); ++i) {
    energies[i] /= out.energy;
    if (i == 0) out.top_share = energies[i];
    if (i < 4) out.top_four_share += energies[i];
  }
  out.stable_rank = 1 / out.top_share;
  out.effective_rank = effective_rank_of(energies, directions);
}

}  // namespace

Leading leading_values(const at::Tensor& matrix, std::int64_t count, std::uint64_t seed, std::int64_t oversampling,
                       int passes) {
  const std::int64_t least = std::min(matrix.size(0), matrix.size(1));
  const std::int64_t columns = std::min(least, count + oversampling);
  at::Tensor basis = orthonormal(at::matmul(matrix, random_columns(matrix.size(1), columns, seed).to(matrix.device())));
  for (int pass = 0; pass < passes; ++pass)
    basis = orthonormal(at::matmul(matrix, orthonormal(at::matmul(matrix.t(), basis))));
  const auto [left, values, right] = at::linalg_svd(at::matmul(basis.t(), matrix), false);
  const std::int64_t kept = std::min(least, count);
  const at::Tensor numbers = values.narrow(0, 0, kept).to(at::kCPU, at::kDouble).contiguous();
  Leading out;
  out.values.assign(numbers.const_data_ptr<double>(), numbers.const_data_ptr<double>() + kept);
  out.left = at::matmul(basis, left.narrow(1, 0, kept));
  return out;
}

Spectrum spectrum_of(const at::Tensor& difference, const at::Tensor& noise, std::int64_t count, std::uint64_t seed) {
  Spectrum out;
  const double whole = difference.square().sum(at::kDouble).item<double>();
  if (noise.defined()) {
    out.noise_energy = noise.sum(at::kDouble).item<double>();
    out.edge = noise_edge(noise);
  }
  out.energy = std::max(0.0, whole - out.noise_energy);
  if (whole <= 0) return out;
  out.kurtosis = element_kurtosis(difference);
  out.leading = leading_values(difference, count, seed);
  fill_shares(out, std::min(difference.size(0), difference.size(1)));
  return out;
}

}  // namespace reveille::scan
