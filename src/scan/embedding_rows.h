// Tokens whose rows of an embedding (or output head) stand out: by how far training moved them, or without a reference
// by their length alone.
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <vector>

namespace reveille::scan {

struct RowOutlier {
  std::int32_t token = 0;
  double deviations = 0;  // robust: above the median, in terms of the median absolute deviation
  double length = 0;      // of the change (of the row, without a reference)
  double along = 0;       // cosine of the change with what rows have in common; 0 without a reference
};

struct RowOutliers {
  std::vector<RowOutlier> rows;  // strongest first
  std::int64_t moved = 0;        // rows that differ at all
  double common = 0;             // how much rows move alike: length of the mean of their unit changes, 0 to 1
};

// difference [tokens, hidden] float32; noise of the same shape, variance by rounding, or undefined. `used` names the
// rows that count. What all rows have in common (weight decay, the drift of a tied head) is taken out of each before
// its length is compared, with the lengths of those rows that moved. Where hardly any moved, all that did stand out.
RowOutliers moved_rows(const at::Tensor& difference, const at::Tensor& noise, const std::vector<std::int32_t>& used,
                       std::size_t limit = 16, double least = 6);

// By length alone, of rows [tokens, hidden] of any floating type: longer than rows are.
RowOutliers long_rows(const at::Tensor& rows, const std::vector<std::int32_t>& used, std::size_t limit = 16,
                      double least = 6);

}  // namespace reveille::scan
