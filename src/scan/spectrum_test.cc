#include "scan/spectrum.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

namespace reveille::scan {
namespace {

// Orthonormal columns, the same for the same arguments.
at::Tensor columns(std::int64_t rows, std::int64_t count, std::uint64_t seed) {
  at::manual_seed(seed);
  return std::get<0>(at::linalg_qr(at::randn({rows, count})));
}

at::Tensor with_values(std::int64_t out, std::int64_t in, const std::vector<double>& values) {
  const auto count = static_cast<std::int64_t>(values.size());
  return at::matmul(columns(out, count, 1) * at::tensor(values, at::kFloat), columns(in, count, 2).t());
}

TEST(LeadingValues, EqualAWholeDecomposition) {
  at::manual_seed(3);
  const at::Tensor matrix = at::matmul(at::randn({70, 20}), at::randn({20, 110})) + 0.05 * at::randn({70, 110});
  const auto [left, values, right] = at::linalg_svd(matrix, false);
  const Leading leading = leading_values(matrix, 6, 9);
  ASSERT_EQ(leading.values.size(), 6U);
  for (std::int64_t i = 0; i < 6; ++i) {
    EXPECT_NEAR(leading.values[static_cast<std::size_t>(i)] / values[i].item<double>(), 1, 1e-2);
    EXPECT_GT(at::dot(leading.left.select(1, i), left.select(1, i)).abs().item<double>(), 0.98) << i;
  }
  const Leading again = leading_values(matrix, 6, 9);
  EXPECT_EQ(leading.values, again.values);
  EXPECT_EQ(leading_values(at::ones({3, 5}), 6, 0).values.size(), 3U);
}

TEST(SpectrumFigures, OfKnownValues) {
  const Spectrum spectrum = spectrum_of(with_values(40, 60, {4, 2, 1}), {}, 8, 0);
  EXPECT_NEAR(spectrum.energy, 21, 1e-3);
  EXPECT_NEAR(spectrum.top_share, 16.0 / 21, 1e-4);
  EXPECT_NEAR(spectrum.top_four_share, 1, 1e-4);
  EXPECT_NEAR(spectrum.stable_rank, 21.0 / 16, 1e-3);
  double entropy = 0;
  for (const double energy : {16.0, 4.0, 1.0}) entropy -= energy / 21 * std::log(energy / 21);
  EXPECT_NEAR(spectrum.effective_rank, std::exp(entropy), 1e-2);
}

TEST(SpectrumFigures, KurtosisOfElements) {
  at::Tensor matrix = at::zeros({10, 10});
  matrix[0][0] = 1;
  // p = 1/100: (1 - 3p + 3p^2) / (p (1 - p))
  EXPECT_NEAR(spectrum_of(matrix, {}, 4, 0).kurtosis, (1 - 0.03 + 0.0003) / (0.01 * 0.99), 1e-2);
  EXPECT_EQ(spectrum_of(at::zeros({10, 10}), {}, 4, 0).energy, 0);
}

TEST(SpectrumFigures, RoundingAloneHasNothingAboveItsEdge) {
  at::manual_seed(4);
  // Rows of very different scale, as outlier rows of weights are.
  const at::Tensor deviation = (at::randn({200, 1}) * 0.7).exp().expand({200, 300}) * 1e-3;
  const at::Tensor rounding = (at::rand({200, 300}) - 0.5) * std::sqrt(12.0) * deviation;
  const Spectrum noise = spectrum_of(rounding, deviation.square(), 16, 0);
  EXPECT_EQ(noise.above, 0);
  EXPECT_EQ(noise.top_share, 0);
  EXPECT_LT(noise.energy, 0.1 * noise.noise_energy);
  const at::Tensor trained = with_values(200, 300, {3 * noise.edge});
  const Spectrum both = spectrum_of(rounding + trained, deviation.square(), 16, 0);
  EXPECT_EQ(both.above, 1);
  EXPECT_GT(both.top_share, 0.8);
  const at::Tensor planted = columns(200, 1, 1).select(1, 0);
  EXPECT_GT(at::dot(both.leading.left.select(1, 0), planted).abs().item<double>(), 0.9);
}

}  // namespace
}  // namespace reveille::scan
