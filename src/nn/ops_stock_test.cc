// The stock operators against formulas written out by hand: they are the reference of the kernels.
#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "base/error.h"
#include "nn/ops_stock.h"

namespace reveille::nn {
namespace {

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
  return (a.to(at::kDouble) - b.to(at::kDouble)).abs().max().item<double>();
}

at::Tensor longs(const std::vector<std::int64_t>& values) { return at::tensor(values); }
at::Tensor floats(const std::vector<float>& values) { return at::tensor(values); }
at::Tensor doubles(const std::vector<double>& values) { return at::tensor(values); }

TEST(Packing, PositionsFollowStarts) {
  Packing packing = make_packing({2, 0, 3}, {5, 1, 0}, at::kCPU);
  EXPECT_EQ(packing.tokens(), 5);
  EXPECT_EQ(packing.batch(), 3);
  EXPECT_TRUE(packing.positions.equal(longs({5, 6, 0, 1, 2})));
  EXPECT_THROW(make_packing({1}, {0, 0}, at::kCPU), Error);
  EXPECT_THROW(make_packing({-1}, {}, at::kCPU), Error);
}

TEST(StockAttention, EqualsScaledDotProductAttentionOfEachSequence) {
  at::manual_seed(1);
  const std::int64_t heads = 4, kv = 2, d = 8;
  Packing packing = make_packing({5, 1, 7}, {}, at::kCPU);
  AttentionSpec spec{.heads = heads, .kv_heads = kv, .head_dim = d, .scale = 0.3};
  at::Tensor qkv = at::randn({13, (heads + 2 * kv) * d});
  at::Tensor out = stock::attention(qkv, packing, spec);
  for (std::int64_t i = 0; i < packing.batch(); ++i) {
    const std::int64_t first = packing.offsets[i], rows = packing.offsets[i + 1] - first;
    at::Tensor part = qkv.narrow(0, first, rows).view({1, rows, heads + 2 * kv, d}).transpose(1, 2);
    at::Tensor expected = at::scaled_dot_product_attention(part.narrow(1, 0, heads), part.narrow(1, heads, kv),
                                                           part.narrow(1, heads + kv, kv), {}, 0.0, true, 0.3, true);
    expected = expected.transpose(1, 2).reshape({rows, heads * d});
    EXPECT_LT(largest_difference(out.narrow(0, first, rows), expected), 1e-5);
  }
}

TEST(StockAttention, CacheContinuesWhatOnePassGives) {
  at::manual_seed(2);
  const std::int64_t heads = 2, kv = 1, d = 4;
  at::Tensor angles = at::rand({16, d / 2}).repeat({1, 2});
  for (std::int64_t window : {0, 3}) {
    AttentionSpec spec{heads, kv, d, 0.5, window, angles.cos(), angles.sin()};
    at::Tensor qkv = at::randn({9, (heads + 2 * kv) * d});
    at::Tensor whole = stock::attention(qkv, make_packing({9}, {}, at::kCPU), spec);
    LayerCache cache{at::zeros({2, kv, 16, d}), at::zeros({2, kv, 16, d})};
    std::vector<at::Tensor> parts;
    std::int64_t start = 0;
    for (std::int64_t rows : {4, 1, 4}) {
      parts.push_back(stock::attention_cached(qkv.narrow(0, start, rows), make_packing({rows}, {start}, at::kCPU), spec,
                                              cache, {1}));
      start += rows;
    }
    EXPECT_LT(largest_difference(at::cat(parts), whole), 1e-5);
  }
}

TEST(StockHead, GradientsEqualAutogradOfCrossEntropy) {
  at::manual_seed(3);
  for (double softcap : {0.0, 2.0}) {
    at::Tensor hidden = at::randn({7, 6}).requires_grad_(true), weight = at::randn({11, 6}).requires_grad_(true);
    at::Tensor targets = at::randint(11, {7}, at::kLong), rows = at::rand({7});
    rows[2] = 0;
    HeadLoss ours = stock::head_loss(hidden, weight, targets, rows, softcap);
    auto grads = torch::autograd::grad({ours.loss * 3}, {hidden, weight});
    at::Tensor logits = at::matmul(hidden, weight.t());
    if (softcap > 0) logits = at::tanh(logits / softcap) * softcap;
    at::Tensor log_p = at::log_softmax(logits, -1);
    at::Tensor chosen = log_p.gather(1, targets.unsqueeze(1)).squeeze(1);
    at::Tensor loss = -(chosen * rows).sum();
    auto expected = torch::autograd::grad({loss * 3}, {hidden, weight});
    EXPECT_LT(largest_difference(ours.loss.detach(), loss.detach()), 1e-5);
    EXPECT_LT(largest_difference(ours.logprobs, chosen.detach()), 1e-5);
    EXPECT_LT(largest_difference(ours.entropy, -(log_p.exp() * log_p).sum(-1).detach()), 1e-5);
    EXPECT_TRUE(ours.correct.equal(logits.argmax(-1) == targets));
    EXPECT_LT(largest_difference(grads[0], expected[0]), 1e-5);
    EXPECT_LT(largest_difference(grads[1], expected[1]), 1e-5);
    EXPECT_LT(largest_difference(stock::head_logprobs(hidden, weight, targets, softcap), ours.logprobs), 1e-6);
  }
}

TEST(StockSample, InvertsTheCumulativeDistribution) {
  at::Tensor logits = at::log(floats({0.1F, 0.2F, 0.4F, 0.3F})).expand({5, 4});
  at::Tensor coins = doubles({0.0, 0.0999, 0.15, 0.6, 0.9999});
  auto [ids, logprobs] = stock::sample(logits, 1.0, 0, 1.0, coins);
  EXPECT_TRUE(ids.equal(longs({0, 0, 1, 2, 3})));
  EXPECT_NEAR(logprobs[4].item<float>(), std::log(0.3), 1e-6);
  EXPECT_TRUE(std::get<0>(stock::sample(logits, 0.0, 0, 1.0, coins)).equal(at::full({5}, 2, at::kLong)));
  EXPECT_TRUE(std::get<0>(stock::sample(logits, 1.0, 2, 1.0, coins)).equal(longs({2, 2, 2, 3, 3})));
  EXPECT_TRUE(std::get<0>(stock::sample(logits, 1.0, 0, 0.5, coins)).equal(longs({2, 2, 2, 3, 3})));
}

// Three steps of torch.optim.AdamW(lr=0.1, betas=(0.9, 0.99), eps=1e-8, weight_decay=0.1) on
// w = [1, -2] with gradients [0.5, -1], [0.1, 0.3], [-2, 0.7], computed by PyTorch.
TEST(StockAdamW, EqualsTorchOptim) {
  AdamWSlot slot{floats({1.0F, -2.0F}), at::zeros({2}), at::zeros({2}), {}, {}, 0.1};
  std::int64_t step = 0;
  for (at::Tensor grad : {floats({0.5F, -1.0F}), floats({0.1F, 0.3F}), floats({-2.0F, 0.7F})}) {
    slot.grad = grad * 4;
    stock::adamw_step(slot, 0.1, 0.9, 0.99, 1e-8, ++step, 0.25);
  }
  EXPECT_LT(largest_difference(slot.master, floats({0.839020133F, -1.80829942F})), 1e-6);
}

TEST(StockNorm, IsTheRootOfTheSumOfSquares) {
  EXPECT_DOUBLE_EQ(stock::global_norm({floats({3.0F}), floats({4.0F}), at::Tensor()}), 5.0);
}

}  // namespace
}  // namespace reveille::nn
