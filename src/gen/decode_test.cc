#include "gen/decode.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "gen/score.h"
#include "gen/tiny_model_testing.h"

namespace reveille::gen {
namespace {

using testing::Operators;
using testing::tiny_ids;
using testing::tiny_model;

std::vector<DecodeResult> run(nn::Transformer& model, const std::vector<Request>& requests,
                              const SampleOptions& options, const std::vector<std::int32_t>& stop_ids = {}) {
  std::vector<DecodeResult> out(requests.size());
  std::vector<int> calls(requests.size(), 0);
  decode(model, requests, stop_ids, options, [&](std::size_t index, DecodeResult& result) {
    ++calls[index];
    out[index] = result;
  });
  for (std::size_t i = 0; i < calls.size(); ++i) EXPECT_EQ(calls[i], 1) << "request " << i;
  return out;
}

// Ten prompts of 3 to 57 tokens; with `shared`, all begin with the same 12 tokens.
std::vector<Request> mixed_requests(bool shared = false) {
  std::vector<Request> out;
  for (int i = 0; i < 10; ++i) {
    auto ids = shared ? tiny_ids(12, 1) : std::vector<std::int32_t>{};
    auto own = tiny_ids(3 + 6 * (i * 7 % 10), i);
    ids.insert(ids.end(), own.begin(), own.end());
    out.push_back({ids, i % 3});
  }
  return out;
}

SampleOptions options_of(std::int64_t max_tokens, std::int64_t batch_size, double temperature = 1) {
  SampleOptions options;
  options.max_tokens = max_tokens;
  options.batch_size = batch_size;
  options.temperature = temperature;
  return options;
}

std::vector<std::int32_t> joined(const Request& request, const std::vector<std::int32_t>& reply) {
  auto ids = request.ids;
  ids.insert(ids.end(), reply.begin(), reply.end());
  return ids;
}

void expect_error(ErrorKind kind, const std::function<void()>& action) {
  try {
    action();
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind) << error.what();
  }
}

class Decode : public ::testing::TestWithParam<std::tuple<std::string, bool>> {
 protected:
  Operators operators_{std::get<1>(GetParam())};
  nn::Transformer model_ = tiny_model(std::get<0>(GetParam()));
};

TEST_P(Decode, LogProbabilitiesEqualThoseOfScore) {
  for (bool shared : {false, true}) {
    auto requests = mixed_requests(shared);
    const std::int32_t stop = 7;
    auto results = run(model_, requests, options_of(40, 4), {stop});
    std::vector<std::vector<std::int32_t>> sequences;
    for (std::size_t i = 0; i < requests.size(); ++i) {
      sequences.push_back(joined(requests[i], results[i].ids));
      if (results[i].finish == Finish::stop) sequences.back().push_back(stop);
    }
    auto scores = score(model_, sequences);
    for (std::size_t i = 0; i < requests.size(); ++i) {
      std::size_t prompt = requests[i].ids.size();
      ASSERT_EQ(results[i].logprobs.size() + prompt, scores[i].size()) << "request " << i;
      for (std::size_t t = 0; t < results[i].logprobs.size(); ++t)
        ASSERT_NEAR(results[i].logprobs[t], scores[i][prompt + t], 1e-4) << "request " << i << " token " << t;
    }
  }
}

TEST_P(Decode, GreedyIsTheArgmaxOfTheFullForwardPass) {
  at::NoGradGuard no_grad;
  auto requests = mixed_requests();
  auto results = run(model_, requests, options_of(24, 4, 0));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    ASSERT_EQ(results[i].ids.size(), 24U);
    auto ids = at::tensor(joined(requests[i], results[i].ids), at::kInt).to(at::kLong);
    auto logits = model_.logits(model_.hidden(ids, nn::make_packing({ids.numel()}, {}, at::kCPU)));
    auto first = static_cast<std::int64_t>(requests[i].ids.size());
    for (std::int64_t t = 0; t < 24; ++t) {
      auto row = logits[first + t - 1];
      auto [best, best_ids] = row.topk(2);
      if ((best[0] - best[1]).item<float>() < 1e-4) break;  // a tie: either may win, and the rest follows from it
      ASSERT_EQ(results[i].ids[static_cast<std::size_t>(t)], best_ids[0].item<std::int64_t>()) << i << " " << t;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, Decode, ::testing::Combine(::testing::Values("llama3", "mistral", "gemma3", "gpt2"), ::testing::Bool()),
    [](const auto& info) { return std::get<0>(info.param) + (std::get<1>(info.param) ? "_stock" : "_kernels"); });

// float32 moves a logit by a millionth with the shape of the batch, so that of these 400 draws
// none should fall on the other side of a boundary.
TEST(DecodeBatches, CompletionsDoNotDependOnTheirCompany) {
  auto model = tiny_model("llama3");
  auto requests = mixed_requests();
  auto expected = run(model, requests, options_of(40, 1));
  std::vector<std::size_t> order(requests.size());
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = (i * 3 + 4) % order.size();
  for (std::int64_t batch : {1, 2, 3, 10, 64}) {
    std::vector<Request> reordered;
    for (auto index : order) reordered.push_back(requests[index]);
    reordered.push_back({tiny_ids(90, 50), 0});  // a stranger among them
    auto results = run(model, reordered, options_of(30, batch));
    for (std::size_t i = 0; i < order.size(); ++i) {
      auto want = expected[order[i]].ids;
      want.resize(30);
      EXPECT_EQ(results[i].ids, want) << "batch " << batch << ", request " << order[i];
    }
  }
}

TEST(DecodeBatches, ASharedBeginningChangesNothing) {
  auto model = tiny_model("llama3");
  auto requests = mixed_requests(true);
  auto together = run(model, requests, options_of(30, 4));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    auto alone = run(model, {requests[i]}, options_of(30, 4));
    EXPECT_EQ(together[i].ids, alone[0].ids) << "request " << i;
  }
}

// Samples of one prompt share its computation; what they say must be what each says alone, also where a group is cut by
// the slots that are free.
TEST(DecodeBatches, SamplesOfOnePromptAreThoseThatEachIsAlone) {
  auto model = tiny_model("llama3");
  std::vector<Request> requests;
  for (int i = 0; i < 12; ++i) requests.push_back({tiny_ids(9 + 4 * (i % 3), i % 3), i / 3});
  for (std::int64_t batch : {2, 5, 12}) {
    auto together = run(model, requests, options_of(20, batch));
    for (std::size_t i = 0; i < requests.size(); ++i) {
      auto alone = run(model, {requests[i]}, options_of(20, 1));
      EXPECT_EQ(together[i].ids, alone[0].ids) << "batch " << batch << ", request " << i;
    }
  }
}

TEST(DecodeBatches, SamplesAndSeedsAreDrawnApart) {
  auto model = tiny_model("llama3");
  auto ids = tiny_ids(10);
  auto results = run(model, {{ids, 0}, {ids, 1}, {ids, 0}}, options_of(30, 3));
  EXPECT_NE(results[0].ids, results[1].ids);
  EXPECT_EQ(results[0].ids, results[2].ids);
  auto options = options_of(30, 3);
  options.seed = 1;
  EXPECT_NE(run(model, {{ids, 0}}, options)[0].ids, results[0].ids);
}

TEST(DecodeEnds, AStopTokenEndsItsRowOnlyAndIsNotAmongTheIds) {
  auto model = tiny_model("llama3");
  auto requests = mixed_requests();
  auto free_runs = run(model, requests, options_of(40, 4));
  const std::int32_t stop = free_runs[2].ids[5];
  auto results = run(model, requests, options_of(40, 4), {stop});
  for (std::size_t i = 0; i < requests.size(); ++i) {
    const auto& all = free_runs[i].ids;
    auto at = std::find(all.begin(), all.end(), stop);
    EXPECT_EQ(results[i].ids, std::vector<std::int32_t>(all.begin(), at)) << "request " << i;
    bool stopped = at != all.end();
    EXPECT_EQ(results[i].finish, stopped ? Finish::stop : Finish::length) << "request " << i;
    EXPECT_EQ(results[i].logprobs.size(), results[i].ids.size() + (stopped ? 1 : 0)) << "request " << i;
  }
  EXPECT_EQ(results[2].finish, Finish::stop);
}

TEST(DecodeEnds, MaxTokens) {
  auto model = tiny_model("llama3");
  auto requests = mixed_requests();
  auto longer = run(model, requests, options_of(7, 3));
  auto single = run(model, requests, options_of(1, 3));
  for (std::size_t i = 0; i < requests.size(); ++i) {
    ASSERT_EQ(longer[i].ids.size(), 7U);
    EXPECT_EQ(longer[i].finish, Finish::length);
    EXPECT_EQ(single[i].ids, std::vector<std::int32_t>{longer[i].ids[0]});
  }
}

TEST(DecodeEnds, PromptAndReplyStayWithinTheContext) {
  auto model = tiny_model("llama3");
  ASSERT_EQ(model.config().max_positions, 128);
  auto results = run(model, {{tiny_ids(120), 0}, {tiny_ids(127), 0}, {tiny_ids(5), 0}}, options_of(50, 2));
  EXPECT_EQ(results[0].ids.size(), 8U);
  EXPECT_EQ(results[0].finish, Finish::length);
  EXPECT_EQ(results[1].ids.size(), 1U);
  EXPECT_EQ(results[2].ids.size(), 50U);
  EXPECT_NO_THROW(score(model, {joined({tiny_ids(120), 0}, results[0].ids)}));
}

TEST(DecodeErrors, EmptyAndOverlongPrompts) {
  auto model = tiny_model("llama3");
  auto good = Request{tiny_ids(5), 0};
  expect_error(ErrorKind::usage, [&] { run(model, {good, {{}, 0}}, options_of(4, 2)); });
  expect_error(ErrorKind::usage, [&] { run(model, {good, {tiny_ids(128), 0}}, options_of(4, 2)); });
}

TEST(DecodeErrors, LogitsThatAreNotNumbers) {
  auto model = tiny_model("llama3");
  model.params().at("final_norm").value.fill_(NAN);
  expect_error(ErrorKind::numeric, [&] { run(model, {{tiny_ids(5), 0}}, options_of(4, 2)); });
}

}  // namespace
}  // namespace reveille::gen
