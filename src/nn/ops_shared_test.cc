// A prefix that sequences share changes nothing but the work.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "nn/ops_testing.h"

namespace reveille::nn {
namespace {

constexpr std::int64_t kHeads = 4, kKvHeads = 2, kDim = 16, kWidth = (kHeads + 2 * kKvHeads) * kDim;

AttentionSpec spec_with(std::int64_t window) {
  AttentionSpec spec{kHeads, kKvHeads, kDim, 0.25, window};
  const at::Tensor angles = at::arange(64, at::kFloat).unsqueeze(1) * at::rand({kDim / 2});
  spec.cos = angles.repeat({1, 2}).cos();
  spec.sin = angles.repeat({1, 2}).sin();
  return spec;
}

// The rows of each sequence, prefix first.
at::Tensor written_out(const at::Tensor& rows, const Packing& packing) {
  std::vector<at::Tensor> parts;
  for (std::size_t i = 0; i + 1 < packing.offsets.size(); ++i) {
    parts.push_back(rows.narrow(0, 0, packing.shared()));
    parts.push_back(rows.narrow(0, packing.offsets[i], packing.offsets[i + 1] - packing.offsets[i]));
  }
  return at::cat(parts, 0);
}

TEST(SharedPrefix, AttentionAndGradientsEqualWrittenOutSequences) {
  at::manual_seed(3);
  const std::vector<std::int64_t> lengths{1, 9, 3}, whole{8, 16, 10};
  const Packing packing = make_shared_packing(7, lengths, at::kCPU);
  ASSERT_EQ(packing.tokens(), 20);
  for (std::int64_t window : {0, 4}) {
    const AttentionSpec spec = spec_with(window);
    const at::Tensor values = at::randn({20, kWidth}), weights = at::randn({34, kHeads * kDim});
    auto grad_of = [&](bool shared) {
      at::AutoGradMode grad_on(true);
      const at::Tensor qkv = values.clone().requires_grad_(true);
      const at::Tensor out = shared ? written_out(attention(qkv, packing, spec), packing)
                                    : attention(written_out(qkv, packing), make_packing(whole, {}, at::kCPU), spec);
      (out * weights).sum().backward();
      return std::pair{out.detach(), qkv.grad()};
    };
    const auto [out, grad] = grad_of(true);
    const auto [expected_out, expected_grad] = grad_of(false);
    EXPECT_LT((out - expected_out).abs().max().item<double>(), 1e-5) << "window " << window;
    EXPECT_LT((grad - expected_grad).abs().max().item<double>(), 1e-4) << "window " << window;
  }
}

TEST(SharedPrefix, PositionsGoOnAfterIt) {
  const Packing packing = make_shared_packing(3, {2, 1}, at::kCPU);
  EXPECT_TRUE(packing.positions.equal(at::tensor({0, 1, 2, 3, 4, 3}, at::kLong)));
  EXPECT_EQ(packing.batch(), 2);
}

TEST(SharedPrefix, LeavesEverySequenceAToken) {
  using Ids = std::vector<std::int32_t>;
  auto shared = [](const std::vector<Ids>& sequences) { return shared_prefix({sequences.begin(), sequences.end()}); };
  EXPECT_EQ(shared({{1, 2, 3, 4, 5, 6}, {1, 2, 3, 4, 5, 7}}), 5);
  EXPECT_EQ(shared({{1, 2, 3, 4, 5}, {1, 2, 3, 4, 5, 7}}), 4);
  EXPECT_EQ(shared({{1, 2, 3, 4, 5, 6}, {1, 2, 9, 4, 5, 6}}), 0) << "two tokens are not worth it";
  EXPECT_EQ(shared({{1, 2, 3, 4, 5, 6}}), 0) << "nobody to share with";
  EXPECT_EQ(shared({{1, 2, 3, 4, 5, 6}, {}}), 0);
}

}  // namespace
}  // namespace reveille::nn
