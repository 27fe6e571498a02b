// The output head and packed products: kernels against stock operators.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "nn/ops_testing.h"

namespace reveille::nn {
namespace {

using testing::Tensors;

struct Case {
  std::int64_t rows, width, vocab;
  double softcap;
};
const std::vector<Case> kCases{{1, 2, 3, 0}, {5, 8, 64, 0}, {13, 36, 130, 0}, {7, 64, 1000, 5}, {50, 576, 777, 0}};

std::string label(const Case& c, at::ScalarType type) {
  return cat(c.rows, " rows, ", c.width, " x ", c.vocab, ", cap ", c.softcap, " ", at::toString(type));
}

TEST(HeadLoss, EqualsStockWithGradients) {
  at::manual_seed(1);
  for (const Case& c : kCases)
    for (auto type : {at::kFloat, at::kBFloat16}) {
      at::Tensor targets = at::randint(c.vocab, {c.rows}, at::kLong), weights = at::rand({c.rows}) + 0.5;
      if (c.rows > 2) weights[1] = 0;
      auto op = [&](const Tensors& in) { return Tensors{head_loss(in[0], in[1], targets, weights, c.softcap).loss}; };
      const Tensors inputs{at::randn({c.rows, c.width}).to(type), (at::randn({c.vocab, c.width}) * 0.3).to(type)};
      // Gradients of bfloat16 pass through logits kept as bfloat16 below their panel's maximum.
      testing::expect_as_stock(op, op, inputs, type == at::kFloat ? 5e-5 : 0.03, label(c, type));
    }
}

TEST(HeadLoss, StatisticsEqualStock) {
  at::manual_seed(2);
  at::NoGradGuard no_grad;
  for (const Case& c : kCases)
    for (auto type : {at::kFloat, at::kBFloat16}) {
      at::Tensor hidden = at::randn({c.rows, c.width}).to(type),
                 weight = (at::randn({c.vocab, c.width}) * 0.3).to(type);
      at::Tensor targets = at::matmul(hidden, weight.t()).argmax(-1), ones = at::ones({c.rows});
      if (c.rows > 1) targets[0] = (targets[0] + 1) % c.vocab;
      force_stock_operators(true);
      HeadLoss expected = head_loss(hidden.to(at::kFloat), weight.to(at::kFloat), targets, ones, c.softcap);
      force_stock_operators(false);
      for (KernelLevel level :
           {KernelLevel::avx2, KernelLevel::avx512, KernelLevel::avx512_bf16, KernelLevel::amx_bf16}) {
        limit_kernel_level(level);
        HeadLoss ours = head_loss(hidden, weight, targets, ones, c.softcap);
        // Products of bfloat16 are summed in float32 and not rounded, so both types are exact.
        EXPECT_LT(testing::distance(ours.logprobs, expected.logprobs), 5e-5) << label(c, type);
        EXPECT_LT(testing::distance(ours.entropy, expected.entropy), 5e-5) << label(c, type);
        EXPECT_TRUE(type != at::kFloat || ours.correct.equal(expected.correct)) << label(c, type);
        EXPECT_TRUE(head_logprobs(hidden, weight, targets, c.softcap).equal(ours.logprobs)) << label(c, type);
      }
    }
}

TEST(HeadLoss, ManyChunksSumToTheSame) {
  at::manual_seed(3);
  at::Tensor targets = at::randint(40, {2100}, at::kLong), weights = at::rand({2100});
  auto op = [&](const Tensors& in) { return Tensors{head_loss(in[0], in[1], targets, weights).loss}; };
  const Tensors inputs{at::randn({2100, 16}), at::randn({40, 16})};
  testing::expect_as_stock(op, op, inputs, 1e-4, "chunks");
  testing::expect_as_stock(op, op, {inputs[0].to(at::kBFloat16), inputs[1].to(at::kBFloat16)}, testing::kHalfway,
                           "chunks in bfloat16");
}

TEST(HeadLoss, OnlyTheGradientsThatAreWanted) {
  at::manual_seed(4);
  at::Tensor hidden = at::randn({4, 8}), weight = at::randn({9, 8}).requires_grad_(true);
  at::Tensor targets = at::randint(9, {4}, at::kLong), ones = at::ones({4});
  HeadLoss loss = head_loss(hidden, weight, targets, ones);
  auto twice = torch::autograd::grad({loss.loss}, {weight}, {at::full({}, 2.0)}, true)[0];
  auto once = torch::autograd::grad({loss.loss}, {weight})[0];
  EXPECT_LT(testing::distance(twice, once * 2), 1e-6);
  EXPECT_FALSE(head_loss(hidden, weight.detach(), targets, ones).loss.requires_grad());
  EXPECT_FALSE(loss.logprobs.requires_grad());
}

TEST(HeadLoss, NanAndRowsLeftOut) {
  at::manual_seed(5);
  at::Tensor hidden = at::randn({2, 8}), weight = at::randn({9, 8});
  hidden[1][2] = std::numeric_limits<float>::quiet_NaN();
  at::Tensor targets = at::zeros({2}, at::kLong), weights = at::ones({2});
  EXPECT_TRUE(std::isnan(head_loss(hidden, weight, targets, weights).loss.item<float>()));
  weights[1] = 0;
  hidden.requires_grad_(true);
  HeadLoss loss = head_loss(hidden, weight, targets, weights);
  EXPECT_TRUE(std::isfinite(loss.loss.item<float>()));
  EXPECT_TRUE(std::isnan(loss.logprobs[1].item<float>()));
  EXPECT_TRUE(torch::autograd::grad({loss.loss}, {hidden})[0].isfinite().all().item<bool>());
}

TEST(HeadLoss, RefusesTargetsOutsideTheVocabulary) {
  EXPECT_THROW(head_logprobs(at::zeros({1, 4}), at::zeros({3, 4}), at::full({1}, 3, at::kLong)), Error);
  EXPECT_THROW(head_logprobs(at::zeros({1, 4}), at::zeros({3, 4}), at::full({1}, -1, at::kLong)), Error);
}

TEST(LinearPacked, EqualsStock) {
  at::manual_seed(6);
  at::NoGradGuard no_grad;
  for (auto [rows, inner, columns] :
       {std::tuple{1, 2, 1}, {3, 10, 17}, {16, 64, 64}, {23, 96, 70}, {65, 576, 200}, {7, 5, 9}})
    for (auto type : {at::kFloat, at::kBFloat16})
      for (bool biased : {false, true}) {
        at::Tensor x = at::randn({rows, inner}).to(type), weight = at::randn({columns, inner}).to(type);
        at::Tensor bias = biased ? at::randn({columns}).to(type) : at::Tensor();
        at::Tensor wide_bias = biased ? bias.to(at::kFloat) : bias;
        at::Tensor expected = linear(x.to(at::kFloat), weight.to(at::kFloat), wide_bias);
        for (KernelLevel level :
             {KernelLevel::avx2, KernelLevel::avx512, KernelLevel::avx512_bf16, KernelLevel::amx_bf16}) {
          limit_kernel_level(level);
          PackedWeight packed = pack_weight(weight);
          const bool odd = inner % 2 != 0 && type == at::kBFloat16;  // stock
          const std::string what = cat(rows, " x ", inner, " x ", columns, " ", at::toString(type));
          EXPECT_LT(testing::distance(linear_packed(x, packed, bias, at::kFloat), expected),
                    odd ? testing::kHalfway : 2e-5)
              << what;
          EXPECT_LT(testing::distance(linear_packed(x, packed, bias, at::kBFloat16), expected), testing::kHalfway)
              << what;
        }
      }
}

TEST(LinearPacked, AWeightPackedForOtherKernelsStillServes) {
  at::manual_seed(7);
  at::Tensor x = at::randn({3, 16}), weight = at::randn({20, 16});
  limit_kernel_level(KernelLevel::avx2);
  PackedWeight packed = pack_weight(weight);
  limit_kernel_level(KernelLevel::amx_bf16);
  EXPECT_LT(testing::distance(linear_packed(x, packed, {}, at::kFloat), nn::linear(x, weight, at::Tensor())), 1e-5);
  force_stock_operators(true);
  EXPECT_LT(testing::distance(linear_packed(x, packed, {}, at::kFloat), nn::linear(x, weight, at::Tensor())), 1e-5);
  force_stock_operators(false);
}

}  // namespace
}  // namespace reveille::nn
