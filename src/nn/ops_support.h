// What the operators share: tensors as kernel arguments, rows over threads.
#pragma once

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdint>

#include "nn/dispatch.h"
#include "nn/kernels.h"

namespace reveille::nn {

inline kernels::In as_in(const at::Tensor& tensor) {
  if (!tensor.defined()) return {};
  return {tensor.const_data_ptr(), tensor.scalar_type() == at::kBFloat16};
}

inline kernels::Out as_out(at::Tensor& tensor) {
  if (!tensor.defined()) return {};
  return {tensor.mutable_data_ptr(), tensor.scalar_type() == at::kBFloat16};
}

// body(first, last) over rows, in threads where there is work enough for them.
template <class Body>
void over_rows(std::int64_t rows, std::int64_t width, const Body& body) {
  constexpr std::int64_t kWorthAThread = 16384;  // values
  at::parallel_for(0, rows, std::max<std::int64_t>(1, kWorthAThread / std::max<std::int64_t>(1, width)), body);
}

// The first address of a tensor of bytes that starts a cache line; it wants 63 bytes to spare.
inline std::uint8_t* aligned(at::Tensor& bytes) {
  auto* base = bytes.mutable_data_ptr<std::uint8_t>();
  return base + (64 - reinterpret_cast<std::uintptr_t>(base) % 64) % 64;
}

// Runs body(task, scratch) for each task, in the order of their numbers, in whichever thread is
// free; so no task may add to what another writes.
template <class Body>
void over_tasks(std::int64_t tasks, std::int64_t scratch_bytes, const Body& body) {
  const std::int64_t threads = std::min<std::int64_t>(at::get_num_threads(), tasks);
  if (threads == 0) return;
  const std::int64_t stride = (scratch_bytes + 63) / 64 * 64;
  at::Tensor scratch = at::empty({threads * stride + 64}, at::kByte);
  std::uint8_t* base = aligned(scratch);
  std::atomic<std::int64_t> next{0};
  at::parallel_for(0, threads, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t thread = first; thread < last; ++thread)
      for (std::int64_t task = next++; task < tasks; task = next++) body(task, base + thread * stride);
  });
}

// body(share, first, last): one share of the rows a thread, cut in the same way every time, for
// sums over rows that must not depend on scheduling. Returns nothing; `shares` must come from
// row_shares().
inline std::int64_t row_shares(std::int64_t rows) {
  return std::max<std::int64_t>(1, std::min<std::int64_t>(at::get_num_threads(), rows));
}
template <class Body>
void over_shares(std::int64_t rows, std::int64_t shares, const Body& body) {
  at::parallel_for(0, shares, 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t share = first; share < last; ++share)
      body(share, rows * share / shares, rows * (share + 1) / shares);
  });
}

}  // namespace reveille::nn
