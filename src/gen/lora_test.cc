// Which layers get an adapter, and the output head among them.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/temp_folder_testing.h"
#include "gen/decode.h"
#include "gen/local.h"
#include "gen/save.h"
#include "gen/tiny_folder_testing.h"

namespace reveille::gen {
namespace {

using testing::tiny_ids;
using testing::write_tiny_folder;

std::unique_ptr<LocalModel> open(const std::filesystem::path& path) {
  OpenOptions options;
  options.dtype = "float32";
  return open_model(path.string(), options);
}

io::PeftConfig config_of(std::vector<std::string> targets) {
  io::PeftConfig config;
  config.r = 4;
  config.target_modules = std::move(targets);
  return config;
}

class Lora : public ::testing::Test {
 protected:
  Error error_with(const std::string& model, std::vector<std::string> targets) {
    write_tiny_folder(folder_ / model, model);
    try {
      open(folder_ / model)->add_lora(config_of(std::move(targets)), 0);
    } catch (const Error& error) {
      return error;
    }
    return {ErrorKind::internal, "no error"};
  }
  TempFolder folder_;
};

TEST_F(Lora, ATargetThatFitsNoLayerIsAnErrorWithTheNearestName) {
  const Error error = error_with("llama3", {"q_proj", "kproj", "lm_head"});
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_EQ(error.message(), "target_modules: 'kproj' names no linear layer of llama3; did you mean 'k_proj'?");
  EXPECT_NE(error.hint().find("gate_proj"), std::string::npos) << error.hint();
}

TEST_F(Lora, ATiedHeadCanHaveNone) {
  const Error error = error_with("gemma3", {"q_proj", "lm_head"});
  EXPECT_EQ(error.kind(), ErrorKind::usage);
  EXPECT_NE(error.message().find("tied"), std::string::npos) << error.message();
}

TEST_F(Lora, AllLinearLeavesTheHeadAlone) {
  write_tiny_folder(folder_ / "m", "llama3");
  auto model = open(folder_ / "m");
  io::PeftConfig config;
  config.all_linear = true;
  model->add_lora(config, 0);
  EXPECT_EQ(model->transformer().params().lora.count("head"), 0U);
  EXPECT_EQ(model->transformer().params().lora.size(), 12U);  // 4 of each of 3 layers
}

// Scoring and decoding with the adapter, after saving it and opening it again, and with it merged.
TEST_F(Lora, TheHeadsAdapterChangesWhatIsComputed) {
  write_tiny_folder(folder_ / "m", "llama3");
  auto model = open(folder_ / "m");
  const auto plain = model->score({tiny_ids(40)})[0];
  auto config = config_of({"lm_head"});
  config.base_model = (folder_ / "m").string();
  model->add_lora(config, 0);
  auto& piece = model->transformer().params().lora.at("head").at(0);
  at::manual_seed(1);
  piece.b.copy_(at::randn(piece.b.sizes()));
  const auto with = model->score({tiny_ids(40)})[0];
  SampleOptions sample;
  sample.max_tokens = 20;
  const auto said = model->generate({{tiny_ids(9), 0}}, sample)[0];
  save_adapter(*model, folder_ / "adapter");
  auto again = open(folder_ / "adapter");
  merge_lora(*model);
  const auto merged = model->score({tiny_ids(40)})[0];
  const auto opened = again->score({tiny_ids(40)})[0];
  double moved = 0;
  for (std::size_t t = 1; t < with.size(); ++t) {
    moved = std::max(moved, std::abs(static_cast<double>(with[t]) - static_cast<double>(plain[t])));
    ASSERT_NEAR(with[t], merged[t], 1e-4) << t;
    ASSERT_NEAR(with[t], opened[t], 1e-6) << t;
  }
  EXPECT_GT(moved, 0.1);
  const auto merged_said = model->generate({{tiny_ids(9), 0}}, sample)[0];
  EXPECT_EQ(said.ids, merged_said.ids);
  ASSERT_EQ(said.logprobs.size(), merged_said.logprobs.size());
  for (std::size_t t = 0; t < said.logprobs.size(); ++t) ASSERT_NEAR(said.logprobs[t], merged_said.logprobs[t], 1e-4);
}

TEST_F(Lora, WithoutWeightsTokenizerAndTemplateAreThere) {
  write_tiny_folder(folder_ / "m", "llama3");
  OpenOptions options;
  options.weights = false;
  options.chat_template = "plain";
  auto model = open_model((folder_ / "m").string(), options);
  EXPECT_EQ(model->encode_with_specials("ab").size(), 2U);
  EXPECT_TRUE(model->has_template());
}

TEST_F(Lora, FingerprintsTellWeightsApart) {
  write_tiny_folder(folder_ / "m", "llama3");
  auto one = open(folder_ / "m"), two = open(folder_ / "m");
  EXPECT_EQ(one->fingerprint(), two->fingerprint());
  two->transformer().params().at("final_norm").value.add_(1e-3);
  EXPECT_NE(one->fingerprint(), two->fingerprint());
}

TEST_F(Lora, ACopyIsAModelOfItsOwn) {
  write_tiny_folder(folder_ / "m", "llama3");
  auto one = open(folder_ / "m");
  auto two = one->copy();
  EXPECT_EQ(one->fingerprint(), two->fingerprint());
  const auto before = one->score({tiny_ids(40)})[0];
  EXPECT_EQ(two->score({tiny_ids(40)})[0][39], before[39]);
  two->transformer().params().at("final_norm").value.add_(0.5);
  EXPECT_NE(two->score({tiny_ids(40)})[0][39], before[39]);
  EXPECT_EQ(one->score({tiny_ids(40)})[0][39], before[39]);
}

// What a copy with the same weights learns and merges leaves them as they are.
TEST_F(Lora, ACopyThatSharesWeightsMergesIntoItsOwn) {
  write_tiny_folder(folder_ / "m", "llama3");
  auto one = open(folder_ / "m");
  auto two = one->copy(true);
  const at::Tensor shared = two->transformer().params().at("final_norm").value;
  EXPECT_EQ(shared.const_data_ptr(), one->transformer().params().at("final_norm").value.const_data_ptr());
  const std::string before = one->fingerprint();
  two->add_lora(config_of({"q_proj"}), 0);
  two->transformer().params().lora.begin()->second[0].b.fill_(0.3);
  merge_lora(*two);
  EXPECT_EQ(one->fingerprint(), before);
  EXPECT_FALSE(one->adapter());
  EXPECT_NE(two->fingerprint(), before);
}

TEST_F(Lora, FingerprintsTellScalesApart) {
  write_tiny_folder(folder_ / "m", "llama3");
  auto one = open(folder_ / "m"), two = open(folder_ / "m");
  auto config = config_of({"q_proj"});
  one->add_lora(config, 0);
  config.lora_alpha *= 2;
  two->add_lora(config, 0);
  EXPECT_NE(one->fingerprint(), two->fingerprint());
}

}  // namespace
}  // namespace reveille::gen
