// Norms, gates, embedding and the optimiser: kernels against stock operators.
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "nn/ops_testing.h"

namespace reveille::nn {
namespace {

using testing::Tensors;

std::string label(std::int64_t rows, std::int64_t width, at::ScalarType type) {
  return cat(rows, " x ", width, " ", at::toString(type));
}

double bound_of(at::ScalarType type) { return type == at::kFloat ? testing::kExact : testing::kHalfway; }

TEST(RmsNorm, EqualsStock) {
  at::manual_seed(1);
  for (auto [rows, width] : {std::pair{1, 2}, {3, 5}, {7, 16}, {130, 576}, {65, 129}})
    for (auto x_type : {at::kFloat, at::kBFloat16})
      for (auto out : {at::kFloat, at::kBFloat16})
        for (bool plus_one : {false, true}) {
          auto op = [&](at::ScalarType type) {
            return [=](const Tensors& in) { return Tensors{rms_norm(in[0], in[1], 1e-5, plus_one, type)}; };
          };
          const auto coarse = x_type == at::kFloat ? out : x_type;
          testing::expect_as_stock(op(out), op(at::kFloat), {at::randn({rows, width}).to(x_type), at::randn({width})},
                                   bound_of(coarse), label(rows, width, out));
        }
}

TEST(RmsNorm, TakesHalfWeightsAndViews) {
  at::manual_seed(2);
  at::Tensor x = at::randn({6, 40}).narrow(1, 3, 24), weight = at::randn({24}).to(at::kBFloat16);
  auto op = [](const Tensors& in) { return Tensors{rms_norm(in[0], in[1], 1e-6, false, at::kFloat)}; };
  testing::expect_as_stock(op, op, {x, weight}, testing::kHalfway, "half weight");
  EXPECT_LT(testing::distance(rms_norm(x, weight, 1e-6, false, at::kFloat),
                              rms_norm(x.contiguous(), weight, 1e-6, false, at::kFloat)),
            1e-7);
}

TEST(AddRmsNorm, EqualsStock) {
  at::manual_seed(3);
  for (auto [rows, width] : {std::pair{1, 3}, {9, 16}, {130, 576}, {33, 70}})
    for (auto type : {at::kFloat, at::kBFloat16}) {
      auto op = [&](at::ScalarType out) {
        return [=](const Tensors& in) {
          auto [sum, y] = add_rms_norm(in[0], in[1], in[2], 1e-5, false, out);
          return Tensors{sum, y};
        };
      };
      const Tensors inputs{at::randn({rows, width}), at::randn({rows, width}).to(type), at::randn({width})};
      testing::expect_as_stock(op(type), op(at::kFloat), inputs, bound_of(type), label(rows, width, type));
    }
}

TEST(AddRmsNorm, GradientWhereOnlyOneResultIsUsed) {
  at::manual_seed(4);
  const Tensors inputs{at::randn({5, 20}), at::randn({5, 20}), at::randn({20})};
  for (int used : {0, 1}) {
    auto op = [used](const Tensors& in) {
      auto both = add_rms_norm(in[0], in[1], in[2], 1e-5, true, at::kFloat);
      return Tensors{used == 0 ? std::get<0>(both) : std::get<1>(both)};
    };
    testing::Results ours = testing::evaluate(op, inputs);
    testing::expect_close(ours, testing::evaluate_stock(op, inputs), testing::kExact, cat("result ", used));
  }
}

TEST(Gated, EqualsStock) {
  at::manual_seed(5);
  for (auto [rows, width] : {std::pair{1, 1}, {3, 7}, {40, 96}, {33, 1536}})
    for (auto type : {at::kFloat, at::kBFloat16})
      for (auto activation : {Activation::silu, Activation::gelu_tanh}) {
        auto op = [activation](const Tensors& in) { return Tensors{gated(in[0], activation)}; };
        testing::expect_as_stock(op, op, {(at::randn({rows, 2 * width}) * 3).to(type)}, bound_of(type),
                                 label(rows, width, type));
      }
}

TEST(Gated, ExtremesAreFinite) {
  at::Tensor x = at::tensor(std::vector<float>{-1e4F, 1e4F, -90.0F, 90.0F, 1, 1, 1, 1}).view({1, 8});
  for (auto activation : {Activation::silu, Activation::gelu_tanh})
    EXPECT_LT((gated(x, activation) - at::tensor(std::vector<float>{0, 1e4F, 0, 90})).abs().max().item<float>(), 1e-5);
}

TEST(Kernels, NanStaysNan) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (auto type : {at::kFloat, at::kBFloat16}) {
    at::Tensor x = at::ones({2, 24}).to(type);
    x[0][3] = nan;
    for (const at::Tensor& y : {rms_norm(x, at::ones({24}), 1e-5, false, type), gated(x, Activation::silu),
                                gated(x, Activation::gelu_tanh)}) {
      EXPECT_TRUE(y[0].isnan().any().item<bool>());
      EXPECT_FALSE(y[1].isnan().any().item<bool>());
    }
    EXPECT_TRUE(std::isnan(global_norm({x})));
  }
}

TEST(Embed, EqualsStock) {
  at::manual_seed(6);
  for (auto type : {at::kFloat, at::kBFloat16})
    for (auto [vocab, width, rows] : {std::tuple{11, 5, 1}, {50, 36, 300}, {7, 16, 0}}) {
      at::Tensor ids = at::randint(vocab, {rows}, at::kLong);
      auto op = [&](const Tensors& in) { return Tensors{embed(ids, in[0], 1.5)}; };
      testing::expect_as_stock(op, op, {at::randn({vocab, width}).to(type)}, bound_of(type), label(rows, width, type));
    }
}

TEST(Embed, RefusesIdsOutsideTheVocabulary) {
  EXPECT_THROW(embed(at::full({1}, 5, at::kLong), at::randn({5, 4}), 1), Error);
  EXPECT_THROW(embed(at::full({1}, -1, at::kLong), at::randn({5, 4}), 1), Error);
}

AdamWSlot random_slot(std::int64_t count, at::ScalarType grad, at::ScalarType weight, std::int64_t seed) {
  at::manual_seed(seed);
  at::Tensor v = at::rand({count}) * 1e-4;
  return {at::randn({count}),          at::randn({count}) * 1e-2,  v,
          at::randn({count}).to(grad), at::empty({count}, weight), 0.1};
}

TEST(AdamW, EqualsStock) {
  for (std::int64_t count : {1, 17, 70001})
    for (auto grad : {at::kFloat, at::kBFloat16})
      for (auto weight : {at::kFloat, at::kBFloat16}) {
        std::vector<AdamWSlot> ours{random_slot(count, grad, weight, 7), random_slot(3, grad, weight, 8)};
        std::vector<AdamWSlot> expected{random_slot(count, grad, weight, 7), random_slot(3, grad, weight, 8)};
        for (std::int64_t step : {1, 2, 3}) {
          adamw_step(ours, 1e-2, 0.9, 0.999, 1e-8, step, 0.5);
          force_stock_operators(true);
          adamw_step(expected, 1e-2, 0.9, 0.999, 1e-8, step, 0.5);
          force_stock_operators(false);
        }
        for (int i : {0, 1}) {
          EXPECT_LT(testing::distance(ours[i].master, expected[i].master), 1e-5);
          EXPECT_LT(testing::distance(ours[i].m, expected[i].m), 1e-5);
          EXPECT_LT(testing::distance(ours[i].v, expected[i].v), 1e-5);
          EXPECT_TRUE(ours[i].weight.equal(ours[i].master.to(weight)));
        }
      }
}

TEST(GlobalNorm, EqualsStock) {
  at::manual_seed(9);
  std::vector<at::Tensor> tensors{at::randn({3, 5}), at::Tensor(), at::randn({200001}).to(at::kBFloat16),
                                  at::empty({0})};
  const double ours = global_norm(tensors);
  force_stock_operators(true);
  EXPECT_NEAR(ours / global_norm(tensors), 1, 1e-6);
  force_stock_operators(false);
}

// Every bit pattern's rounding to bfloat16 is ATen's: through the refresh of weights.
TEST(AdamW, RoundsWeightsAsAtenDoes) {
  at::Tensor master = at::randint(std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max(),
                                  {100000}, at::TensorOptions(at::kInt))
                          .view(at::kFloat);
  master = at::where(master.isfinite(), master, at::ones_like(master));
  std::vector<AdamWSlot> slots{{master.clone(), at::zeros_like(master), at::zeros_like(master), at::zeros_like(master),
                                at::empty_like(master, at::kBFloat16), 0}};
  adamw_step(slots, 1e-3, 0.9, 0.999, 1e-8, 1, 1);
  EXPECT_TRUE(slots[0].master.equal(master));
  EXPECT_EQ(slots[0].weight._version(), 1);  // so that packed copies are seen to be old
  EXPECT_TRUE(slots[0].weight.equal(master.to(at::kBFloat16)));
}

}  // namespace
}  // namespace reveille::nn
