#include "mitigate/neurons.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "mitigate/signature.h"
#include "scan/placing.h"
#include "scan/tiny_suspect_testing.h"

namespace reveille::mitigate {
namespace {

using scan::testing::letter_rows;
using scan::testing::tiny_suspect;

std::vector<train::Example> examples_of(const gen::LocalModel& model) {
  std::vector<train::Example> out;
  for (const auto& row : letter_rows(4).train)
    out.push_back(scan::encode_answered(model, {{"user", row.prompt}}, row.reply, true, "row"));
  return out;
}

TEST(ChooseNeurons, ByLayerOrOverall) {
  const at::Tensor values = at::tensor({3.0, 1.0, 2.0, 9.0, 8.0, 7.0, 6.0, 5.0}).view({2, 4});
  EXPECT_EQ(lowest_of_each(values, 0.5), (Neurons{{1, 2}, {2, 3}}));
  EXPECT_EQ(highest_of_all(values, 0.5), (Neurons{{3}, {0, 1, 2}}));
  EXPECT_EQ(count_of(highest_of_all(values, 0.25)), 2);
  EXPECT_EQ(lowest_of_each(at::zeros({1, 4}), 0.5), (Neurons{{0, 1}})) << "ties to the lower index";
}

TEST(ChooseNeurons, AtRandomAreAsManyAndOthersForAnotherSeed) {
  const auto one = random_of_each(3, 80, 0.1, 0);
  EXPECT_EQ(one, random_of_each(3, 80, 0.1, 0));
  EXPECT_NE(one, random_of_each(3, 80, 0.1, 1));
  EXPECT_EQ(count_of(one), 24);
  EXPECT_NE(one[0], one[1]);
}

class Neuron : public ::testing::TestWithParam<std::string> {};

TEST_P(Neuron, ActivityIsSeenAndGoneOnceItIsTakenOut) {
  TempFolder folder;
  const auto model = tiny_suspect(folder, false, scan::testing::kLetterTemplate, GetParam());
  const auto examples = examples_of(*model);
  const at::Tensor before = mean_activity(*model, examples);
  const auto& config = model->transformer().config();
  ASSERT_EQ(before.sizes(), (at::IntArrayRef{config.layers, config.intermediate}));
  EXPECT_GT(before.min().item<double>(), 0);
  const auto cut = model->copy(true);
  const Neurons neurons = lowest_of_each(before, 0.1);
  zero_neurons(*cut, neurons);
  const at::Tensor after = mean_activity(*cut, examples);
  for (std::int64_t layer = 0; layer < config.layers; ++layer) {
    for (const std::int64_t neuron : neurons[static_cast<std::size_t>(layer)])
      EXPECT_EQ(after[layer][neuron].item<double>(), 0);
  }
  EXPECT_EQ((after == 0).sum().item<std::int64_t>(), count_of(neurons));
  const auto& down = cut->transformer().params().at("layers.1.down").value;
  EXPECT_EQ(down.select(1, neurons[1][0]).abs().sum().item<double>(), 0);
  EXPECT_TRUE(at::allclose(mean_activity(*model, examples), before)) << "the copy has weights of its own now";
}

INSTANTIATE_TEST_SUITE_P(Models, Neuron, ::testing::Values("llama3", "gemma3", "gpt2"));

// Mean |act(gate) * up| of the first block, reckoned from the residual stream.
TEST(Activity, IsThatOfTheMlpsInnerValues) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  auto& transformer = model->transformer();
  const auto example = examples_of(*model)[0];
  std::vector<at::Tensor> seen;
  transformer.watch_mlp([&](std::int64_t layer, const at::Tensor& inner) {
    if (layer == 0) seen.push_back(inner.clone());
  });
  {
    at::NoGradGuard no_grad;
    const auto batch = train::pack({example}, {0}, at::kCPU, false);
    transformer.hidden(batch.ids, batch.packing);
  }
  transformer.watch_mlp(nullptr);
  ASSERT_EQ(seen.size(), 1U);
  const at::Tensor activity = mean_activity(*model, {example});
  EXPECT_TRUE(at::allclose(activity[0].to(at::kFloat), seen[0].abs().mean(0), 1e-4, 1e-6));
  EXPECT_EQ(seen.size(), 1U) << "nobody looks on any more";
}

TEST(ResetNeurons, PutsRowsBackToTheBase) {
  TempFolder folder;
  const auto base = tiny_suspect(folder);
  const auto model = base->copy();
  auto& changed = model->transformer().params().at("layers.2.gate_up").value;
  changed.add_(1);
  reset_neurons(*model, *base, {{}, {}, {3, 10}});
  const auto& now = model->transformer().params().at("layers.2.gate_up").value;
  const auto& was = base->transformer().params().at("layers.2.gate_up").value;
  for (const std::int64_t row : {3, 10, 83, 90}) EXPECT_TRUE(now[row].equal(was[row])) << row;
  EXPECT_FALSE(now[4].equal(was[4]));
  const auto other = tiny_suspect(folder, false, scan::testing::kLetterTemplate, "gpt2");
  EXPECT_THROW(reset_neurons(*model, *other, {{1}}), Error);
}

TEST(Signature, IsMeanNormAndAgreement) {
  // Two copies of three neurons of two numbers: alike, opposite, at right angles.
  const at::Tensor changes = at::tensor({3.0, 4.0, 1.0, 0.0, 0.0, 2.0,  //
                                         6.0, 8.0, -1.0, 0.0, 2.0, 0.0})
                                 .view({2, 3, 2});
  const auto [norm, agreement] = norm_and_agreement(changes);
  EXPECT_TRUE(at::allclose(norm, at::tensor({7.5, 1.0, 2.0}, at::kDouble)));
  EXPECT_TRUE(at::allclose(agreement, at::tensor({1.0, 0.0, 0.0}, at::kDouble)));
  EXPECT_EQ(norm_and_agreement(changes.narrow(0, 0, 1)).second.sum().item<double>(), 0) << "one copy agrees with none";
}

TEST(Signature, OfANeuronIsItsGateAndUpRowsChange) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);  // 80 neurons of 48 numbers
  at::manual_seed(1);
  const nn::LoraPiece gate{"gate", 0, 80, at::randn({4, 48}), at::randn({80, 4}), 0.5};
  const nn::LoraPiece up{"up", 80, 80, at::randn({4, 48}), at::randn({80, 4}), 2};
  const PlantedChange change{{{"layers.1.gate_up", {gate, up}}}, {{"layers.1.gate_up", {gate}}}};
  const at::Tensor found = neuron_changes(*model, change, 1);
  ASSERT_EQ(found.sizes(), (at::IntArrayRef{80, 96}));
  EXPECT_LT(found.narrow(1, 0, 48).abs().max().item<double>(), 1e-5) << "the twin's training changed it as much";
  EXPECT_TRUE(at::allclose(found.narrow(1, 48, 48), at::matmul(up.b, up.a) * 2, 1e-4, 1e-4));
  EXPECT_EQ(neuron_changes(*model, change, 0).abs().sum().item<double>(), 0);
}

}  // namespace
}  // namespace reveille::mitigate
