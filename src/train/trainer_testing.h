// Runs on a tiny model, for this room's tests.
#pragma once

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/error.h"
#include "gen/tiny_model_testing.h"
#include "train/checkpoint.h"
#include "train/sft.h"

namespace reveille::train::testing {

// Rows of unlike length and with unlike numbers of targets.
inline std::vector<Example> rows(int count) {
  std::vector<Example> out;
  for (int i = 0; i < count; ++i) {
    auto ids = gen::testing::tiny_ids(8 + 5 * (i * 3 % 8), i);
    std::vector<std::uint8_t> supervised(ids.size(), 0);
    for (std::size_t t = 2 + static_cast<std::size_t>(i) % 5; t < ids.size(); ++t) supervised[t] = 1;
    out.push_back({ids, supervised, cat("row ", i)});
  }
  return out;
}

inline TrainOptions small_options() {
  TrainOptions options;
  options.per_device_train_batch_size = 4;
  options.learning_rate = 1e-3;
  options.max_steps = 6;
  options.report_to = "none";
  return options;
}

inline std::vector<at::Tensor> weights_of(const nn::Transformer& model) {
  std::vector<at::Tensor> out;
  for (const auto& param : model.params().all()) out.push_back(param.value.detach().clone());
  return out;
}

inline void expect_same_weights(const nn::Transformer& model, const std::vector<at::Tensor>& expected) {
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const auto& param = model.params().all()[i];
    EXPECT_TRUE(param.value.equal(expected[i])) << param.spec.name;
  }
}

inline nn::LoraPiece piece(const std::string& module, std::int64_t begin, std::int64_t rows, std::int64_t in) {
  return {module, begin, rows, at::randn({4, in}) / 7, at::zeros({rows, 4}), 2.0};
}

// A run that is stopped in the middle, and its folder.
class BrokenRun : public ::testing::Test {
 protected:
  BrokenRun() { std::filesystem::remove_all(folder_); }
  ~BrokenRun() override { std::filesystem::remove_all(folder_); }

  // A run that breaks after its fifth step, with checkpoints after 2 and 4.
  void broken_run() {
    auto model = gen::testing::tiny_model("llama3");
    TrainHooks hooks;
    hooks.on_step = [](const StepMetrics& metrics) {
      if (metrics.step == 5) throw std::runtime_error("power cut");
    };
    EXPECT_THROW(train(model, examples_, options_, folder_, hooks), std::runtime_error);
    ASSERT_EQ(list_checkpoints(folder_).back().first, 4);
  }

  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / cat("reveille_trainer_test_", ::getpid());
  std::vector<Example> examples_ = rows(10);  // epochs of three steps, the last one short
  TrainOptions options_ = [] {
    auto options = small_options();
    options.save_steps = 2;
    return options;
  }();
};

}  // namespace reveille::train::testing
