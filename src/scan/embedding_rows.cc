#include "scan/embedding_rows.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>

namespace reveille::scan {
namespace {

double median_of(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// Deviations above the median of each of `values`. Where nearly all are equal the scale is a part of the median, so
// that rounding makes no outlier.
std::vector<double> robust_deviations(const std::vector<double>& values) {
  constexpr double kNormal = 1.4826, kLeastScale = 0.05;
  const double middle = median_of(values);
  std::vector<double> away;
  for (const double value : values) away.push_back(std::abs(value - middle));
  const double scale = std::max({kNormal * median_of(away), kLeastScale * std::abs(middle), 1e-12});
  std::vector<double> out;
  for (const double value : values) out.push_back((value - middle) / scale);
  return out;
}

std::vector<double> numbers(const at::Tensor& values) {
  const at::Tensor flat = values.to(at::kCPU, at::kDouble).contiguous();
  return {flat.const_data_ptr<double>(), flat.const_data_ptr<double>() + flat.numel()};
}

at::Tensor index_of(const std::vector<std::int32_t>& used, at::Device device) {
  return at::tensor(used, at::kInt).to(at::kLong).to(device);
}

std::vector<RowOutlier> strongest(std::vector<RowOutlier> rows, std::size_t limit, double least) {
  std::erase_if(rows, [&](const RowOutlier& row) { return row.deviations < least; });
  std::stable_sort(rows.begin(), rows.end(),
                   [](const RowOutlier& a, const RowOutlier& b) { return a.deviations > b.deviations; });
  if (rows.size() > limit) rows.resize(limit);
  return rows;
}

// Rows by the lengths that are compared; those of length 0 have no say and are no outliers.
std::vector<RowOutlier> compared(const std::vector<std::int32_t>& used, const std::vector<double>& lengths) {
  std::vector<RowOutlier> rows;
  std::vector<double> values;
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (lengths[i] <= 0) continue;
    rows.push_back({used[i], 0, lengths[i], 0});
    values.push_back(lengths[i]);
  }
  const auto deviations = robust_deviations(values);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i].deviations = deviations[i];
  return rows;
}

// Where all but a few rows stayed as they were, those few stand out whatever they have in common.
void take_few(std::vector<RowOutlier>& rows, std::size_t limit, std::size_t used, double least) {
  if (rows.empty() || rows.size() > limit || rows.size() * 4 > used) return;
  double shortest = rows.front().length;
  for (const RowOutlier& row : rows) shortest = std::min(shortest, row.length);
  for (RowOutlier& row : rows) row.deviations = least * row.length / shortest;
}

}  // namespace

RowOutliers moved_rows(const at::Tensor& difference, const at::Tensor& noise, const std::vector<std::int32_t>& used,
                       std::size_t limit, double least) {
  RowOutliers out;
  if (used.empty()) return out;
  const at::Tensor index = index_of(used, difference.device());
  const at::Tensor changes = difference.index_select(0, index);
  const at::Tensor lengths = changes.norm(2, 1);
  out.moved = (lengths > 0).sum().item<std::int64_t>();
  if (out.moved == 0) return out;
  // Each moved row counts alike, however far it moved.
  const at::Tensor units = changes / lengths.clamp_min(1e-20).unsqueeze(1);
  const at::Tensor mean = units.sum(0) / static_cast<double>(out.moved);
  out.common = mean.norm().item<double>();
  const at::Tensor common = mean / mean.norm().clamp_min(1e-12);
  const at::Tensor along = at::mv(changes, common);
  // Of a few rows the mean is those rows, and nothing that all have in common.
  const bool drift = out.moved >= 100 && out.common > 0.1;
  at::Tensor own = drift ? lengths.square() - along.square() : lengths.square();
  if (noise.defined()) {
    // What a row's rounding adds up to varies by some tenths of it; that is no movement either.
    const double margin = 1 + 10 / std::sqrt(static_cast<double>(difference.size(1)));
    own = own - noise.index_select(0, index).sum(1) * margin;
  }
  out.rows = compared(used, numbers(own.clamp_min(0).sqrt()));
  take_few(out.rows, limit, used.size(), least);
  const auto cosines = numbers(along / lengths.clamp_min(1e-20));
  std::size_t place = 0;
  for (RowOutlier& row : out.rows) {
    while (used[place] != row.token) ++place;  // rows are in the order of `used`
    row.along = cosines[place];
  }
  out.rows = strongest(std::move(out.rows), limit, least);
  return out;
}

RowOutliers long_rows(const at::Tensor& rows, const std::vector<std::int32_t>& used, std::size_t limit, double least) {
  RowOutliers out;
  if (used.empty()) return out;
  // Row by row in float32: the table is not copied.
  const at::Tensor lengths = at::linalg_vector_norm(rows, 2, at::IntArrayRef{1}, false, at::kFloat);
  out.rows = strongest(compared(used, numbers(lengths.index_select(0, index_of(used, rows.device())))), limit, least);
  return out;
}

}  // namespace reveille::scan
