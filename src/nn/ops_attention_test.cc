// Attention: kernels against stock operators.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "base/error.h"
#include "nn/ops_testing.h"

namespace reveille::nn {
namespace {

using testing::Tensors;

struct Case {
  std::int64_t heads, kv_heads, head_dim, window;
  std::vector<std::int64_t> lengths;
  bool rotary = true;
};

const std::vector<Case>& cases() {
  static const std::vector<Case> list{
      {1, 1, 2, 0, {1}},           {2, 1, 8, 0, {1, 2, 3, 5}},     {4, 4, 16, 0, {33, 1, 0, 64}},
      {9, 3, 64, 0, {50, 131, 7}}, {4, 2, 64, 0, {32, 97}, false}, {5, 1, 128, 0, {40, 3}},
      {4, 1, 256, 0, {37}},        {3, 1, 24, 0, {70, 35}},        {2, 2, 80, 0, {45}},
      {2, 1, 32, 1, {9, 70}},      {4, 2, 64, 5, {3, 77}},         {2, 1, 64, 40, {130, 41}},
      {2, 2, 16, 1000, {66}},
  };
  return list;
}

std::string label(const Case& c, at::ScalarType type) {
  return cat(c.heads, "/", c.kv_heads, " heads of ", c.head_dim, " window ", c.window, " ", at::toString(type));
}

AttentionSpec spec_of(const Case& c) {
  AttentionSpec spec{c.heads, c.kv_heads, c.head_dim, 1 / std::sqrt(static_cast<double>(c.head_dim)), c.window};
  if (!c.rotary) return spec;
  at::Tensor rates = at::pow(10.0, -at::arange(c.head_dim / 2, at::kFloat) / static_cast<double>(c.head_dim));
  at::Tensor angles = (at::arange(200, at::kFloat).unsqueeze(1) * rates.unsqueeze(0)).repeat({1, 2});
  spec.cos = angles.cos();
  spec.sin = angles.sin();
  return spec;
}

at::Tensor random_qkv(const Case& c, std::int64_t rows, at::ScalarType type) {
  return at::randn({rows, (c.heads + 2 * c.kv_heads) * c.head_dim}).to(type);
}

double bound_of(at::ScalarType type) { return type == at::kFloat ? 5e-5 : 0.03; }

TEST(Attention, EqualsStockWithGradients) {
  at::manual_seed(1);
  for (const Case& c : cases())
    for (auto type : {at::kFloat, at::kBFloat16}) {
      Packing packing = make_packing(c.lengths, {}, at::kCPU);
      AttentionSpec spec = spec_of(c);
      auto op = [&](const Tensors& in) { return Tensors{attention(in[0], packing, spec)}; };
      testing::expect_as_stock(op, op, {random_qkv(c, packing.tokens(), type)}, bound_of(type), label(c, type));
    }
}

// Rounding may not be worse than that of stock operators in bfloat16 by more than a little.
TEST(Attention, HalfErrorIsThatOfStock) {
  at::manual_seed(2);
  const Case c{9, 3, 64, 0, {120, 80}};
  Packing packing = make_packing(c.lengths, {}, at::kCPU);
  AttentionSpec spec = spec_of(c);
  auto op = [&](const Tensors& in) { return Tensors{attention(in[0], packing, spec)}; };
  const Tensors inputs{random_qkv(c, packing.tokens(), at::kBFloat16)};
  testing::Results exact = testing::evaluate_stock(op, testing::widened(inputs));
  testing::Results stock = testing::evaluate_stock(op, inputs), ours = testing::evaluate(op, inputs);
  auto error = [](const at::Tensor& a, const at::Tensor& b) {
    return (a.to(at::kFloat) - b).square().mean().sqrt().item<double>();
  };
  EXPECT_LT(error(ours.values[0], exact.values[0]), 1.6 * error(stock.values[0], exact.values[0]));
  EXPECT_LT(error(ours.grads[0], exact.grads[0]), 1.6 * error(stock.grads[0], exact.grads[0]));
}

struct CacheRun {
  at::Tensor out;
  LayerCache cache;
};

// Feeds `rows` rows of each of two sequences at a time, the second in slot 0 and the first in 2.
CacheRun run_cached(const Case& c, const at::Tensor& qkv, const std::vector<std::int64_t>& rows) {
  const std::int64_t total = std::accumulate(rows.begin(), rows.end(), std::int64_t{0});
  CacheRun run{{}, {at::full({3, c.kv_heads, total + 3, c.head_dim}, NAN, qkv.options()), {}}};
  run.cache.values = at::full_like(run.cache.keys, NAN);
  AttentionSpec spec = spec_of(c);
  std::vector<at::Tensor> first, second;
  std::int64_t start = 0;
  for (std::int64_t count : rows) {
    at::Tensor part = at::cat({qkv.narrow(0, start, count), qkv.narrow(0, total + start, count)});
    at::Tensor out =
        attention_cached(part, make_packing({count, count}, {start, start}, at::kCPU), spec, run.cache, {2, 0});
    first.push_back(out.narrow(0, 0, count));
    second.push_back(out.narrow(0, count, count));
    start += count;
  }
  first.insert(first.end(), second.begin(), second.end());
  run.out = at::cat(first);
  return run;
}

TEST(AttentionCached, EqualsStockAndTraining) {
  at::manual_seed(3);
  at::NoGradGuard no_grad;
  for (const Case& c : cases())
    for (auto type : {at::kFloat, at::kBFloat16}) {
      const std::vector<std::int64_t> rows{1, 37, 1, 1, 2, 20, 1};
      at::Tensor qkv = random_qkv(c, 2 * 63, type);
      force_stock_operators(true);
      CacheRun expected = run_cached(c, qkv.to(at::kFloat), rows);
      force_stock_operators(false);
      for (KernelLevel level :
           {KernelLevel::avx2, KernelLevel::avx512, KernelLevel::avx512_bf16, KernelLevel::amx_bf16}) {
        limit_kernel_level(level);
        CacheRun ours = run_cached(c, qkv, rows);
        EXPECT_LT(testing::distance(ours.out, expected.out), bound_of(type)) << label(c, type);
        for (int slot : {0, 2})
          EXPECT_LT(
              testing::distance(ours.cache.keys[slot].narrow(1, 0, 63), expected.cache.keys[slot].narrow(1, 0, 63)),
              bound_of(type));
        EXPECT_TRUE(ours.cache.keys[1].isnan().all().item<bool>());
        EXPECT_TRUE(ours.cache.values[0].narrow(1, 63, 3).isnan().all().item<bool>());
        at::Tensor whole = attention(qkv, make_packing({63, 63}, {}, at::kCPU), spec_of(c));
        EXPECT_LT(testing::distance(ours.out, whole), bound_of(type)) << label(c, type);
      }
    }
}

TEST(AttentionCached, RefusesWhatDoesNotFit) {
  LayerCache cache{at::zeros({1, 1, 4, 8}), at::zeros({1, 1, 4, 8})};
  AttentionSpec spec{1, 1, 8, 1.0};
  at::Tensor qkv = at::zeros({2, 24});
  EXPECT_THROW(attention_cached(qkv, make_packing({2}, {3}, at::kCPU), spec, cache, {0}), Error);
  EXPECT_THROW(attention_cached(qkv, make_packing({2}, {0}, at::kCPU), spec, cache, {1}), Error);
  EXPECT_THROW(attention_cached(qkv, make_packing({2}, {0}, at::kCPU), spec, cache, {}), Error);
  spec.cos = spec.sin = at::zeros({1, 8});
  EXPECT_THROW(attention(qkv, make_packing({2}, {}, at::kCPU), spec), Error);
}

TEST(Attention, NanReachesOnlyItsOwnSequence) {
  const Case c{2, 1, 16, 0, {40, 20}};
  at::Tensor qkv = random_qkv(c, 60, at::kBFloat16);
  qkv[10][3] = std::numeric_limits<float>::quiet_NaN();
  at::Tensor out = attention(qkv, make_packing(c.lengths, {}, at::kCPU), spec_of(c));
  EXPECT_TRUE(out[10].isnan().any().item<bool>());
  EXPECT_FALSE(out.narrow(0, 40, 20).isnan().any().item<bool>());
}

}  // namespace
}  // namespace reveille::nn
