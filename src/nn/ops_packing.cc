#include <ATen/ATen.h>

#include <algorithm>

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

Packing make_shared_packing(std::int64_t shared, const std::vector<std::int64_t>& lengths, at::Device device) {
  if (shared == 0) return make_packing(lengths, {}, device);
  std::vector<std::int64_t> all{shared}, starts(lengths.size() + 1, shared);
  all.insert(all.end(), lengths.begin(), lengths.end());
  starts.front() = 0;
  Packing packing = make_packing(all, starts, device);
  packing.offsets.erase(packing.offsets.begin());  // the prefix is no sequence of its own
  packing.starts.erase(packing.starts.begin());
  return packing;
}

std::int64_t shared_prefix(const std::vector<std::span<const std::int32_t>>& sequences) {
  constexpr std::int64_t kWorthSharing = 4;  // tokens; fewer cost more in copies than they save
  if (sequences.size() < 2) return 0;
  const auto first = sequences.front();
  std::size_t common = first.size();
  for (const auto& ids : sequences) {
    common = std::min(common, ids.empty() ? 0 : ids.size() - 1);
    const auto differs = std::mismatch(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(common), ids.begin());
    common = static_cast<std::size_t>(differs.first - first.begin());
  }
  const auto shared = static_cast<std::int64_t>(common);
  return shared < kWorthSharing ? 0 : shared;
}

}  // namespace reveille::nn
