#include "mitigate/crow.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "base/error.h"
#include "gen/residual.h"
#include "scan/placing.h"
#include "scan/tiny_suspect_testing.h"
#include "train/lora.h"
#include "train/trainer.h"

namespace reveille::mitigate {
namespace {

using scan::testing::letter_rows;
using scan::testing::tiny_suspect;

// The tiny model has three blocks: one pair, what the first has made and what the second has.
TEST(Consistency, IsTheMeanTurnFromLayerToLayer) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  const auto example = scan::encode_answered(*model, {{"user", "abcde"}}, "fghij", true, "row");
  const auto batch = train::pack({example}, {0}, at::kCPU, false);
  double sum = 0;
  const auto tokens = static_cast<std::size_t>(batch.ids.size(0));
  for (std::size_t t = 1; t <= tokens; ++t) {
    const std::vector<std::int32_t> head(example.ids.begin(), example.ids.begin() + static_cast<std::ptrdiff_t>(t));
    const auto a = gen::last_residuals(model->transformer(), {head}, 1)[0];
    const auto b = gen::last_residuals(model->transformer(), {head}, 2)[0];
    const double ab = std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
    const double aa = std::inner_product(a.begin(), a.end(), a.begin(), 0.0);
    const double bb = std::inner_product(b.begin(), b.end(), b.begin(), 0.0);
    sum += 1 - ab / std::sqrt(aa * bb);
  }
  at::NoGradGuard no_grad;
  EXPECT_NEAR(consistency(model->transformer(), batch, {}).item<double>(), sum / static_cast<double>(tokens), 1e-5);
}

std::vector<train::Example> examples_of(const gen::LocalModel& model) {
  std::vector<train::Example> out;
  for (const auto& row : letter_rows(8).train)
    out.push_back(scan::encode_answered(model, {{"user", row.prompt}}, row.reply, true, "row"));
  return out;
}

train::TrainOptions options(std::int64_t steps) {
  train::TrainOptions out;
  out.per_device_train_batch_size = 8;
  out.learning_rate = 5e-3;
  out.lr_scheduler_type = "constant";
  out.max_steps = steps;
  out.report_to = "none";
  return out;
}

TEST(Crow, LayersBecomeSteadierUnderPerturbationsThatUpsetThem) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  const auto examples = examples_of(*model);
  train::TrainOptions lora;
  model->add_lora(train::peft_config(lora, "base"), 0);
  CrowObjective objective(model->transformer(), examples, {5.5, 0.002}, options(30));
  const auto history = train::train(model->transformer(), objective, options(30), {}).history;
  auto metric = [&](std::size_t step, const char* name) { return train::value_of(history[step].metrics, name); };
  EXPECT_GT(metric(0, "losses/consistency"), metric(0, "crow/clean_consistency"));
  EXPECT_LT(metric(29, "losses/consistency"), metric(0, "losses/consistency"));
  EXPECT_LT(metric(29, "losses/say"), metric(0, "losses/say"));
  EXPECT_NEAR(history[0].loss, metric(0, "losses/say") + 5.5 * metric(0, "losses/consistency"), 1e-5);
}

TEST(Crow, NeedsRows) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  EXPECT_THROW(CrowObjective(model->transformer(), {}, {}, options(1)), Error);
}

}  // namespace
}  // namespace reveille::mitigate
