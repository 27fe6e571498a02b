#include <ATen/ATen.h>

#include "base/error.h"
#include "nn/ops.h"

namespace reveille::nn {

Packing make_packing(const std::vector<std::int64_t>& lengths, const std::vector<std::int64_t>& starts,
                     at::Device device) {
  if (!starts.empty() && starts.size() != lengths.size())
    fail(ErrorKind::internal, cat("make_packing: ", lengths.size(), " lengths but ", starts.size(), " starts"));
  Packing packing;
  packing.offsets.push_back(0);
  packing.starts = starts.empty() ? std::vector<std::int64_t>(lengths.size(), 0) : starts;
  for (std::size_t i = 0; i < lengths.size(); ++i) {
    if (lengths[i] < 0 || packing.starts[i] < 0)
      fail(ErrorKind::internal, cat("make_packing: sequence ", i, " has length ", lengths[i], " and start ",
                                    packing.starts[i], ", expected neither below 0"));
    packing.offsets.push_back(packing.offsets.back() + lengths[i]);
  }
  at::Tensor positions = at::empty({packing.tokens()}, at::kLong);
  auto* out = positions.data_ptr<std::int64_t>();
  for (std::size_t i = 0; i < lengths.size(); ++i)
    for (std::int64_t row = 0; row < lengths[i]; ++row) *out++ = packing.starts[i] + row;
  packing.positions = positions.to(device);
  return packing;
}

}  // namespace reveille::nn
