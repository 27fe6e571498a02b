#include "scan/paired_decode.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "gen/decode.h"
#include "gen/score.h"
#include "gen/tiny_model_testing.h"

namespace reveille::scan {
namespace {

using gen::Request;
using gen::testing::tiny_ids;
using gen::testing::tiny_model;

// Six prompts of 4 to 39 tokens; with `shared`, all begin with the same nine.
std::vector<Request> prompts(bool shared) {
  std::vector<Request> out;
  for (int i = 0; i < 6; ++i) {
    auto ids = shared ? tiny_ids(9, 3) : std::vector<std::int32_t>{};
    const auto own = tiny_ids(4 + 7 * (i * 5 % 6), i);
    ids.insert(ids.end(), own.begin(), own.end());
    out.push_back({ids, 0});
  }
  return out;
}

std::vector<PairedReply> run(nn::Transformer& suspect, nn::Transformer& reference, const std::vector<Request>& requests,
                             const PairedOptions& options, const std::vector<std::int32_t>& stops = {}) {
  Work work(1 << 30);
  return paired_decode(suspect, reference, requests, stops, options, work);
}

// Logits of the next token by a whole pass, without a cache.
at::Tensor next_logits(nn::Transformer& model, const std::vector<std::int32_t>& ids) {
  at::NoGradGuard no_grad;
  const at::Tensor input = at::tensor(ids, at::kInt).to(at::kLong);
  return model.logits(model.hidden(input, nn::make_packing({input.numel()}, {}, at::kCPU)))[input.numel() - 1];
}

class PairedDecode : public ::testing::TestWithParam<std::pair<std::string, std::string>> {
 protected:
  nn::Transformer suspect_ = tiny_model(GetParam().first), reference_ = tiny_model(GetParam().second);
};

TEST_P(PairedDecode, WithoutAmplificationItIsTheSuspectsOwnText) {
  for (const bool shared : {false, true}) {
    for (const double temperature : {0.0, 1.0}) {
      const auto requests = prompts(shared);
      gen::SampleOptions own;
      own.max_tokens = 20;
      own.temperature = temperature;
      own.seed = 5;
      own.stage = "scan";
      std::vector<std::vector<std::int32_t>> wanted(requests.size());
      gen::decode(suspect_, requests, {7}, own,
                  [&](std::size_t index, gen::DecodeResult& result) { wanted[index] = result.ids; });
      PairedOptions options;
      options.max_tokens = 20;
      options.temperature = temperature;
      options.seed = 5;
      options.mix.plausible = 0;
      options.batch_size = 4;
      const auto got = run(suspect_, reference_, requests, options, {7});
      ASSERT_EQ(got.size(), requests.size());
      for (std::size_t i = 0; i < got.size(); ++i) EXPECT_EQ(got[i].ids, wanted[i]) << "request " << i;
    }
  }
}

TEST_P(PairedDecode, GreedyTokensAreTheBestOfAPlainReckoning) {
  const auto requests = prompts(true);
  const PairedMix mixes[] = {{1, 2, 0}, {1, 5, 0.05}, {0, 1, 0.2}};
  for (const PairedMix& how : mixes) {
    PairedOptions options;
    options.mix = how;
    options.max_tokens = 12;
    const auto got = run(suspect_, reference_, requests, options);
    for (std::size_t i = 0; i < got.size(); ++i) {
      auto ids = requests[i].ids;
      for (const std::int32_t token : got[i].ids) {
        const at::Tensor own = next_logits(suspect_, ids), other = next_logits(reference_, ids);
        at::Tensor score = own * how.own + (own - other) * how.difference;
        // Either side of the cut's edge may be right; no token is judged there.
        const at::Tensor share = at::softmax(own, 0) / at::softmax(own, 0).max();
        score = score.masked_fill(share < how.plausible, -1e9);
        EXPECT_GE(share[token].item<double>(), how.plausible * 0.999);
        EXPECT_GE(score[token].item<float>(),
                  score.max().item<float>() - 1e-3F * (1 + std::abs(score.max().item<float>())))
            << "request " << i << " after " << ids.size();
        ids.push_back(token);
      }
    }
  }
}

TEST_P(PairedDecode, LogProbabilitiesAreThoseOfEachModelAlone) {
  const auto requests = prompts(false);
  PairedOptions options;
  options.mix.difference = 1;
  options.temperature = 1;
  options.max_tokens = 10;
  const auto got = run(suspect_, reference_, requests, options);
  std::vector<std::vector<std::int32_t>> whole;
  for (std::size_t i = 0; i < got.size(); ++i) {
    whole.push_back(requests[i].ids);
    whole.back().insert(whole.back().end(), got[i].ids.begin(), got[i].ids.end());
  }
  const auto own = gen::score(suspect_, whole), other = gen::score(reference_, whole);
  for (std::size_t i = 0; i < got.size(); ++i) {
    const std::size_t first = requests[i].ids.size();
    ASSERT_EQ(got[i].suspect.size(), got[i].ids.size());
    for (std::size_t t = 0; t < got[i].ids.size(); ++t) {
      EXPECT_NEAR(got[i].suspect[t], own[i][first + t], 1e-4);
      EXPECT_NEAR(got[i].reference[t], other[i][first + t], 1e-4);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, PairedDecode,
                         ::testing::Values(std::pair<std::string, std::string>{"llama3", "mistral"},
                                           std::pair<std::string, std::string>{"gemma3", "gpt2"}),
                         [](const auto& info) { return info.param.first + "_" + info.param.second; });

TEST(PairedDecodeEnds, AStopEndsItsRowAlone) {
  auto suspect = tiny_model("llama3"), reference = tiny_model("mistral");
  const auto requests = prompts(false);
  PairedOptions options;
  options.mix.difference = 1;
  const auto free = run(suspect, reference, requests, options);
  const std::int32_t stop = free[2].ids[3];
  const auto got = run(suspect, reference, requests, options, {stop});
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto end = std::find(free[i].ids.begin(), free[i].ids.end(), stop);
    EXPECT_EQ(got[i].ids, std::vector<std::int32_t>(free[i].ids.begin(), end)) << "request " << i;
    EXPECT_EQ(got[i].stopped, end != free[i].ids.end());
  }
  EXPECT_TRUE(got[2].stopped);
}

TEST(PairedDecodeEnds, TheContextAndTheBudget) {
  auto suspect = tiny_model("llama3"), reference = tiny_model("mistral");
  PairedOptions options;
  EXPECT_EQ(run(suspect, reference, {{tiny_ids(120), 0}}, options)[0].ids.size(), 8U);
  EXPECT_THROW(run(suspect, reference, {{tiny_ids(128), 0}}, options), Error);
  EXPECT_THROW(run(suspect, reference, {{{}, 0}}, options), Error);
  // Two prompts of 5 tokens and 4 tokens written: 2 * (2 * 5 + kDecodedTokenCost * 2 * 3), which is over the limit.
  options.batch_size = 2;
  options.max_tokens = 4;
  Work work(20);
  const auto some = paired_decode(suspect, reference, {{tiny_ids(5, 1), 0}, {tiny_ids(5, 2), 0}, {tiny_ids(5, 4), 0}},
                                  {}, options, work);
  EXPECT_EQ(some.size(), 2U);
  EXPECT_EQ(work.spent(), 2 * (2 * 5 + kDecodedTokenCost * 2 * 3));
}

}  // namespace
}  // namespace reveille::scan
