// Runs an operator through the kernels and through stock operators and compares the values and
// the gradients of all inputs.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>
#include <string>
#include <vector>

#include "nn/dispatch.h"
#include "nn/ops.h"

namespace reveille::nn::testing {

using Tensors = std::vector<at::Tensor>;
using Operator = std::function<Tensors(const Tensors&)>;

struct Results {
  Tensors values, grads;
};

// Values and, for cotangents drawn from a fixed seed, gradients of all inputs.
inline Results evaluate(const Operator& op, const Tensors& inputs) {
  Tensors leaves;
  for (const at::Tensor& input : inputs) leaves.push_back(input.detach().clone().requires_grad_(true));
  Results results{op(leaves), {}};
  Tensors cotangents;
  at::manual_seed(77);
  for (at::Tensor& value : results.values)
    cotangents.push_back(at::randn(value.sizes()).to(at::kBFloat16).to(value.scalar_type()));
  results.grads = torch::autograd::grad(results.values, leaves, cotangents, std::nullopt, false, true);
  for (at::Tensor& value : results.values) value = value.detach();
  return results;
}

// The largest |a - b| / (|b| + root mean square of b).
inline double distance(const at::Tensor& a, const at::Tensor& b) {
  at::Tensor x = a.to(at::kDouble), y = b.to(at::kDouble);
  if (x.numel() == 0) return 0;
  return ((x - y).abs() / (y.abs() + y.square().mean().sqrt() + 1e-30)).max().item<double>();
}

inline void expect_close(const Results& ours, const Results& expected, double bound, const std::string& what) {
  ASSERT_EQ(ours.values.size(), expected.values.size()) << what;
  for (std::size_t i = 0; i < ours.values.size(); ++i)
    EXPECT_LT(distance(ours.values[i], expected.values[i]), bound) << what << ": value " << i;
  for (std::size_t i = 0; i < ours.grads.size(); ++i) {
    ASSERT_EQ(ours.grads[i].defined(), expected.grads[i].defined()) << what << ": gradient " << i;
    if (!ours.grads[i].defined()) continue;
    EXPECT_LT(distance(ours.grads[i], expected.grads[i]), bound) << what << ": gradient " << i;
  }
}

inline Results evaluate_stock(const Operator& op, const Tensors& inputs) {
  force_stock_operators(true);
  Results results = evaluate(op, inputs);
  force_stock_operators(false);
  return results;
}

inline Tensors widened(const Tensors& inputs) {
  Tensors wide;
  for (const at::Tensor& input : inputs) wide.push_back(input.to(at::kFloat));
  return wide;
}

inline void expect_same(const Tensors& a, const Tensors& b, const std::string& what) {
  for (std::size_t i = 0; i < a.size(); ++i) EXPECT_TRUE(!a[i].defined() || a[i].equal(b[i])) << what << ": " << i;
}

// The kernels on `inputs` against stock operators on the same inputs in float32, within `bound`;
// and the same bytes when run twice. For each
// instruction set that this machine has.
inline void expect_as_stock(const Operator& op, const Operator& wide_op, const Tensors& inputs, double bound,
                            const std::string& what) {
  const Results expected = evaluate_stock(wide_op, widened(inputs));
  for (KernelLevel level : {KernelLevel::avx2, KernelLevel::avx512, KernelLevel::avx512_bf16, KernelLevel::amx_bf16}) {
    limit_kernel_level(level);
    const std::string here = what + " with " + kernel_name();
    Results ours = evaluate(op, inputs), again = evaluate(op, inputs);
    expect_close(ours, expected, bound, here);
    expect_same(ours.values, again.values, here);
    expect_same(ours.grads, again.grads, here);
  }
}

constexpr double kExact = 2e-5;      // float32 against float32
constexpr double kHalfway = 0.0125;  // a few roundings to bfloat16 (2^-9 each) on the way

}  // namespace reveille::nn::testing
