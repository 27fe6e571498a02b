#include "train/checkpoint.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/temp_folder_testing.h"

namespace reveille::train {
namespace {

Trainable trainable(at::Device device, double value) {
  auto filled = [&](double x) { return at::full({2, 3}, x, at::TensorOptions(at::kFloat).device(device)); };
  Trainable out{.name = "w.lora_A", .master = filled(value), .m = filled(value + 1), .v = filled(value + 2)};
  out.leaf = out.master.to(at::kBFloat16);
  return out;
}

nn::Params with_lora() {
  nn::Params params({});
  params.lora["w"] = {};
  return params;
}

void save(const TempFolder& folder) {
  const TrainOptions options;
  const std::vector<StepMetrics> history;
  const std::vector<EvalMetrics> evals;
  const std::function<void(const std::filesystem::path&)> nothing_beside;
  save_checkpoint(folder.path(), with_lora(), {trainable(at::kCPU, 1.5)},
                  {options, "key", 7, 10, history, evals, nothing_beside});
}

TEST(Checkpoint, ComesBackWithItsValues) {
  TempFolder folder;
  save(folder);
  std::vector<Trainable> fresh = {trainable(at::kCPU, 0)};
  auto state = load_latest_checkpoint(folder.path(), with_lora(), fresh, "key");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->step, 7);
  EXPECT_TRUE(fresh[0].master.eq(1.5).all().item<bool>());
  EXPECT_TRUE(fresh[0].leaf.eq(1.5).all().item<bool>());
  EXPECT_TRUE(fresh[0].m.eq(2.5).all().item<bool>());
  EXPECT_TRUE(fresh[0].v.eq(3.5).all().item<bool>());
}

// Files are read on the CPU. The meta device stands in for a GPU: it holds no values, but it is elsewhere.
TEST(Checkpoint, IsRestoredOnAnotherDevice) {
  TempFolder folder;
  save(folder);
  std::vector<Trainable> elsewhere = {trainable(at::kMeta, 0)};
  auto state = load_latest_checkpoint(folder.path(), with_lora(), elsewhere, "key");
  ASSERT_TRUE(state);
  EXPECT_EQ(state->step, 7);
  EXPECT_TRUE(elsewhere[0].master.is_meta());
}

}  // namespace
}  // namespace reveille::train
