#include "eval/logistic.h"

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace reveille::eval {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

void check(std::span<const Figures> rows, const std::vector<bool>& positive) {
  const auto count = std::count(positive.begin(), positive.end(), true);
  if (rows.size() != positive.size() || count == 0 || static_cast<std::size_t>(count) == rows.size())
    fail(ErrorKind::numeric, cat("nothing to tell apart: ", count, " of ", rows.size(), " rows are positive"));
  for (const auto& row : rows) {
    if (row.size() != rows.front().size()) fail(ErrorKind::numeric, "rows of figures of unlike width");
  }
}

Figures standardised(const Logistic& model, const Figures& figures) {
  Figures out(figures.size(), 0);
  for (std::size_t k = 0; k < figures.size(); ++k) {
    if (model.deviation[k] > 0 && std::isfinite(figures[k]))
      out[k] = std::clamp((figures[k] - model.mean[k]) / model.deviation[k], -kLargest, kLargest);
  }
  return out;
}

void measure(std::span<const Figures> rows, Logistic& model) {
  const std::size_t width = rows.front().size();
  const auto n = static_cast<double>(rows.size());
  model.mean.assign(width, 0);
  model.deviation.assign(width, 0);
  for (std::size_t k = 0; k < width; ++k) {
    for (const auto& row : rows) model.mean[k] += (std::isfinite(row[k]) ? row[k] : 0) / n;
    double square = 0;
    for (const auto& row : rows) {
      const double off = std::isfinite(row[k]) ? row[k] - model.mean[k] : 0;
      square += off * off / n;
    }
    model.deviation[k] = std::sqrt(square);
    if (model.deviation[k] < 1e-12 * (1 + std::abs(model.mean[k]))) model.deviation[k] = 0;
  }
}

double value(const Logistic& model, const Figures& x) {
  double sum = model.offset;
  for (std::size_t k = 0; k < x.size(); ++k) sum += model.weights[k] * x[k];
  return sum;
}

}  // namespace

double Logistic::score(const Figures& figures) const { return sigmoid(value(*this, standardised(*this, figures))); }

// Gradient descent by the step that the curvature's bound allows: the loss is convex, and the rows are few.
Logistic fit_logistic(std::span<const Figures> rows, const std::vector<bool>& positive, double penalty) {
  check(rows, positive);
  Logistic model;
  measure(rows, model);
  std::vector<Figures> all;
  double largest = 1;  // of 1 + |x|^2, whose quarter bounds the curvature
  for (const auto& row : rows) {
    all.push_back(standardised(model, row));
    double square = 1;
    for (const double x : all.back()) square += x * x;
    largest = std::max(largest, square);
  }
  const auto n = static_cast<double>(rows.size());
  const std::size_t width = rows.front().size();
  const double step = 1 / (largest / 4 + penalty / n);
  model.weights.assign(width, 0);
  constexpr int kMostSteps = 20000;
  constexpr double kFlat = 1e-10;
  for (int i = 0; i < kMostSteps; ++i) {
    Figures slope(width, 0);
    double offset_slope = 0, steepest = 0;
    for (std::size_t r = 0; r < all.size(); ++r) {
      const double off = (sigmoid(value(model, all[r])) - (positive[r] ? 1 : 0)) / n;
      offset_slope += off;
      for (std::size_t k = 0; k < width; ++k) slope[k] += off * all[r][k];
    }
    for (std::size_t k = 0; k < width; ++k) {
      slope[k] += penalty / n * model.weights[k];
      model.weights[k] -= step * slope[k];
      steepest = std::max(steepest, std::abs(slope[k]));
    }
    model.offset -= step * offset_slope;
    if (std::max(steepest, std::abs(offset_slope)) < kFlat) break;
  }
  return model;
}

}  // namespace reveille::eval
