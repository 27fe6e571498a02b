// A batch whose rows share a beginning against the same rows one by one.
#include "train/batches.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <numeric>

#include "gen/score.h"
#include "gen/tiny_model_testing.h"

namespace reveille::train {
namespace {

using gen::testing::tiny_ids;
using gen::testing::tiny_model;

// `shared` common tokens, then `own` of its own; what comes from `reply` on is supervised.
Example row_with(int shared, int own, int seed, std::size_t reply) {
  Example out{tiny_ids(shared), {}, ""};
  const auto rest = tiny_ids(own, 20 + seed);
  out.ids.insert(out.ids.end(), rest.begin(), rest.end());
  out.supervised.assign(out.ids.size(), 0);
  for (std::size_t t = reply; t < out.ids.size(); ++t) out.supervised[t] = 1;
  return out;
}

// Loss and gradients of all rows, in batches as given.
std::pair<double, std::vector<at::Tensor>> gradients(const std::string& name, const std::vector<Example>& examples,
                                                     const std::vector<std::vector<std::size_t>>& batches) {
  at::AutoGradMode grad_on(true);
  auto model = tiny_model(name);
  for (auto& param : model.params().all()) param.value.requires_grad_(true);
  double loss = 0;
  for (const auto& which : batches) {
    const PackedBatch batch = pack(examples, which, at::kCPU);
    const auto hidden = model.hidden(batch.ids, batch.packing, batch.rows);
    const auto head = nn::head_loss(hidden, model.head_inputs(hidden).second, batch.targets,
                                    at::ones({batch.supervised}), model.config().final_softcap);
    head.loss.backward();
    loss += head.loss.item<double>();
  }
  std::vector<at::Tensor> grads;
  for (auto& param : model.params().all()) grads.push_back(param.value.grad());
  return {loss, grads};
}

TEST(Pack, ASharedBeginningChangesNeitherLossNorGradients) {
  const std::vector<Example> examples{row_with(9, 6, 1, 12), row_with(9, 12, 2, 10), row_with(9, 3, 3, 11)};
  EXPECT_EQ(pack(examples, {0, 1, 2}, at::kCPU).packing.shared(), 9);
  for (const char* name : {"llama3", "gpt2", "gemma3"}) {
    const auto [loss, grads] = gradients(name, examples, {{0, 1, 2}});
    const auto [expected_loss, expected] = gradients(name, examples, {{0}, {1}, {2}});
    EXPECT_NEAR(loss, expected_loss, 1e-4) << name;
    for (std::size_t i = 0; i < grads.size(); ++i) {
      const double scale = expected[i].abs().max().item<double>();
      EXPECT_LT((grads[i] - expected[i]).abs().max().item<double>(), 1e-4 * scale + 1e-6) << name << " " << i;
    }
  }
}

TEST(Pack, WhatIsSharedEndsBeforeAnythingIsSupervised) {
  // The first target of the second row is token 6, which token 5 predicts.
  const std::vector<Example> examples{row_with(9, 6, 1, 12), row_with(9, 12, 2, 6)};
  const PackedBatch batch = pack(examples, {0, 1}, at::kCPU);
  EXPECT_EQ(batch.packing.shared(), 5);
  EXPECT_EQ(batch.supervised, 3 + 15);
  EXPECT_EQ(batch.tokens, 15 + 21) << "tokens are counted as if nothing were shared";
}

TEST(Score, ASharedBeginningChangesNothing) {
  auto model = tiny_model("llama3");
  std::vector<std::vector<std::int32_t>> sequences;
  for (int i = 0; i < 5; ++i) sequences.push_back(row_with(9, 1 + 4 * i, i, 9).ids);
  sequences.push_back({7});  // nothing to score, and nothing to spoil
  const auto together = gen::score(model, sequences);
  for (std::size_t i = 0; i < sequences.size(); ++i) {
    const auto alone = gen::score(model, {sequences[i]})[0];
    ASSERT_EQ(alone.size(), together[i].size());
    for (std::size_t t = 1; t < alone.size(); ++t) EXPECT_NEAR(alone[t], together[i][t], 1e-5) << i << " at " << t;
  }
}

}  // namespace
}  // namespace reveille::train
