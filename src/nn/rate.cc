#include "nn/rate.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <chrono>

namespace reveille::nn {

double product_rate(at::ScalarType type, at::Device device) {
  at::NoGradGuard no_grad;
  constexpr std::int64_t kRows = 2048, kIn = 576, kOut = 3072;
  auto options = at::TensorOptions().dtype(type).device(device);
  auto a = at::ones({kRows, kIn}, options), b = at::ones({kOut, kIn}, options);
  double best = 1e9;
  for (int run = 0; run < 6; ++run) {
    auto start = std::chrono::steady_clock::now();
    at::linear(a, b).narrow(0, 0, 1).cpu();  // waits for a GPU
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return 2e-9 * kRows * kIn * kOut / best;
}

}  // namespace reveille::nn
