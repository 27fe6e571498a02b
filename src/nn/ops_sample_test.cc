// Sampling: kernels against stock operators.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/error.h"
#include "nn/ops_testing.h"

namespace reveille::nn {
namespace {

struct Settings {
  double temperature;
  std::int64_t top_k;
  double top_p;
};

TEST(Sample, DrawsWhatStockDraws) {
  at::manual_seed(1);
  for (std::int64_t vocab : {1, 5, 128, 1000, 5003})
    for (auto type : {at::kFloat, at::kBFloat16})
      for (const Settings& s : {Settings{1, 0, 1},
                                {0.7, 0, 1},
                                {0, 0, 1},
                                {1, 1, 1},
                                {1.3, 7, 1},
                                {1, 0, 0.9},
                                {2, 0, 0.05},
                                {1, 50, 0.8},
                                {1, 100000, 1},
                                {1, 0, 0.999999}}) {
        at::Tensor logits = (at::randn({200, vocab}) * 3).to(type), coins = at::rand({200}, at::kDouble);
        force_stock_operators(true);
        auto [ids, logprobs] = sample(logits, s.temperature, s.top_k, s.top_p, coins);
        force_stock_operators(false);
        for (KernelLevel level : {KernelLevel::avx2, KernelLevel::avx512}) {
          limit_kernel_level(level);
          auto [our_ids, our_logprobs] = sample(logits, s.temperature, s.top_k, s.top_p, coins);
          limit_kernel_level(KernelLevel::amx_bf16);
          // A coin may fall between two ways of rounding the same sum.
          const auto same = (ids == our_ids);
          EXPECT_GE(same.sum().item<std::int64_t>(), s.temperature > 0 ? 199 : 200)
              << vocab << " t " << s.temperature << " k " << s.top_k << " p " << s.top_p;
          at::Tensor difference = at::where(same, logprobs - our_logprobs, at::zeros({200})).abs().max();
          EXPECT_LT(difference.item<float>(), 1e-5);
        }
      }
}

TEST(Sample, FrequenciesFollowTheProbabilities) {
  at::Tensor p = at::tensor(std::vector<double>{0.02, 0.5, 0.0, 0.08, 0.4});
  const std::int64_t n = 20000;
  at::Tensor logits = at::log(p).to(at::kFloat).expand({n, 5}), coins = (at::arange(n, at::kDouble) + 0.5) / n;
  at::Tensor counts = at::bincount(std::get<0>(sample(logits, 1, 0, 1, coins)), {}, 5).to(at::kDouble) / n;
  EXPECT_LT((counts - p).abs().max().item<double>(), 2.0 / n);
  EXPECT_EQ(counts[2].item<double>(), 0);
}

TEST(Sample, EdgesOfTheCoin) {
  at::Tensor logits = at::full({2, 300}, -std::numeric_limits<float>::infinity());
  logits.select(1, 7) = 0;
  logits.select(1, 290) = 0;
  at::Tensor coins = at::tensor(std::vector<double>{0.0, std::nextafter(1.0, 0.0)});
  auto [ids, logprobs] = sample(logits, 1, 0, 1, coins);
  EXPECT_EQ(ids[0].item<std::int64_t>(), 7);
  EXPECT_EQ(ids[1].item<std::int64_t>(), 290);
  EXPECT_NEAR(logprobs[1].item<float>(), std::log(0.5), 1e-6);
}

TEST(Sample, GreedyTiesGoToTheLowestId) {
  at::Tensor logits = at::zeros({1, 500});
  logits[0][140] = logits[0][139] = logits[0][400] = 2;
  EXPECT_EQ(std::get<0>(sample(logits, 0, 0, 1, {})).item<std::int64_t>(), 139);
}

TEST(Sample, RefusesNanAndWrongCoins) {
  at::Tensor logits = at::zeros({2, 200}), coins = at::zeros({2}, at::kDouble);
  EXPECT_THROW(sample(logits, 1, 0, 1, at::zeros({1}, at::kDouble)), Error);
  EXPECT_THROW(sample(logits, 1, 0, 1, at::zeros({2})), Error);
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    logits[1][150] = bad;
    EXPECT_THROW(sample(logits, 0, 0, 1, {}), Error);
    EXPECT_THROW(sample(logits, 1, 5, 0.9, coins), Error);
    force_stock_operators(true);
    EXPECT_THROW(sample(logits, 1, 0, 1, coins), Error);
    force_stock_operators(false);
  }
}

}  // namespace
}  // namespace reveille::nn
