#include "io/peft.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>

#include "base/files.h"
#include "io/tensor_files_testing.h"

namespace reveille::io {
namespace {

using namespace testing;  // NOLINT
namespace fs = std::filesystem;

Json minimal() { return {{"peft_type", "LORA"}, {"r", 4}, {"lora_alpha", 8}, {"target_modules", {"q_proj"}}}; }

std::string error_with(const std::string& key, const Json& value) {
  Json config = minimal();
  config[key] = value;
  return error_of([&] { parse_peft_config(config, "c"); }).message();
}

TEST(Peft, ReadsAnAdapterAsTheReferenceDoes) {
  PeftAdapter adapter = open_peft_adapter(fixture("adapter"));
  Json expected = read_json(fixture("adapter_expected.json"));
  ASSERT_EQ(adapter.modules.size(), expected.size());
  for (const auto& [module, values] : expected.items()) {
    EXPECT_EQ(adapter.config.rank_of(module), values["rank"]) << module;
    EXPECT_EQ(adapter.config.alpha_of(module), values["alpha"].get<double>()) << module;
    LoraWeights lora = adapter.load(module);
    EXPECT_DOUBLE_EQ(lora.scaling, values["scaling"].get<double>()) << module;
    at::Tensor delta = at::matmul(lora.b, lora.a).mul(lora.scaling).flatten();
    EXPECT_TRUE(at::allclose(delta, at::tensor(values["delta"].get<std::vector<float>>()), 1e-6, 1e-7)) << module;
  }
  adapter.tensors->verify_all_used();
}

TEST(Peft, TargetsAreNamesPatternsOrAllLinear) {
  Json config = minimal();
  PeftConfig names = parse_peft_config(config, "c");
  EXPECT_TRUE(names.targets("q_proj"));
  EXPECT_TRUE(names.targets("model.layers.0.self_attn.q_proj"));
  EXPECT_FALSE(names.targets("model.layers.0.self_attn.xq_proj"));
  config["target_modules"] = R"(.*\.layers\.[01]\..*_proj)";
  PeftConfig pattern = parse_peft_config(config, "c");
  EXPECT_TRUE(pattern.targets("model.layers.1.mlp.up_proj"));
  EXPECT_FALSE(pattern.targets("model.layers.1.mlp.up_proj.x"));
  EXPECT_FALSE(pattern.targets("model.layers.2.mlp.up_proj"));
  config["target_modules"] = "all-linear";
  EXPECT_TRUE(parse_peft_config(config, "c").all_linear);
}

TEST(Peft, WhatIsNotSupportedIsRefusedByName) {
  EXPECT_EQ(error_with("peft_type", "IA3"), "c: key 'peft_type' is 'IA3', expected 'LORA'");
  EXPECT_EQ(error_with("use_dora", true), "c: key 'use_dora' is true, which Reveille does not support");
  EXPECT_EQ(error_with("bias", "all"), "c: key 'bias' is \"all\", expected \"none\"");
  EXPECT_EQ(error_with("modules_to_save", {"lm_head"}),
            "c: key 'modules_to_save' is [\"lm_head\"]: the adapter replaces whole layers, which Reveille does not "
            "read from adapters");
  EXPECT_EQ(error_with("r", 0), "c: key 'r' should be a rank from 1 to 1048576, found 0");
  EXPECT_EQ(error_with("r", 18446744073709551615ULL),
            "c: key 'r' should be a rank from 1 to 1048576, found 18446744073709551615");
  EXPECT_EQ(error_with("rank_pattern", {{"x", 1.5}}),
            "c: key 'rank_pattern.x' should be a rank from 1 to 1048576, found 1.5");
  EXPECT_EQ(error_with("lora_alpha", "8"), "c: key 'lora_alpha' should be a number, found \"8\"");
  EXPECT_EQ(error_with("target_modules", Json::array()),
            "c: key 'target_modules' should be a list of names, a regular expression or \"all-linear\", found []");
  EXPECT_NE(error_with("target_modules", "(").find("the regular expression '(' is invalid"), std::string::npos);
  EXPECT_EQ(error_with("modules_to_save", Json::array()), "no error was thrown");
  EXPECT_EQ(error_with("bias", "none"), "no error was thrown");
}

TEST(Peft, WeightsStoredTheOtherWayRoundAreSaidAsPeftSaysIt) {
  EXPECT_EQ(error_with("fan_in_fan_out", true), "no error was thrown");
  Json config = minimal();
  EXPECT_EQ(peft_config_json(parse_peft_config(config, "c"))["fan_in_fan_out"], false);
  config["fan_in_fan_out"] = true;
  EXPECT_EQ(peft_config_json(parse_peft_config(config, "c"))["fan_in_fan_out"], true);
}

TEST(Peft, AnExpressionWithoutEndIsAnError) {
  Json config = minimal();
  config["target_modules"] = "(a|aa)+[bc]";
  PeftConfig parsed = parse_peft_config(config, "c");
  Error error = error_of([&] { parsed.targets(std::string(200, 'a')); });
  EXPECT_NE(error.message().find("takes too long to match"), std::string::npos) << error.message();
}

std::vector<LoraWeights> sample_weights() {
  return {{"model.layers.0.q_proj", at::randn({4, 6}), at::randn({8, 4})},
          {"model.layers.0.up_proj", at::randn({2, 6}), at::randn({10, 2})}};
}

PeftConfig sample_config() {
  PeftConfig config;
  config.base_model = "";
  config.task_type = "";
  config.r = 4;
  config.lora_alpha = 6;
  config.target_modules = {"q_proj", "up_proj"};
  config.rank_pattern = {{"up_proj", 2}};
  return config;
}

TEST(Peft, WhatWeWriteWeRead) {
  TempFolder folder;
  auto weights = sample_weights();
  write_peft_adapter(folder.path(), sample_config(), weights, {{"label", {{"x", 1}}}});
  PeftAdapter adapter = open_peft_adapter(folder.path());
  EXPECT_EQ(adapter.config_json["label"]["x"], 1);
  EXPECT_EQ(adapter.config.rank_pattern, sample_config().rank_pattern);
  EXPECT_DOUBLE_EQ(adapter.config.scaling_of("model.layers.0.up_proj"), 3);
  for (const auto& written : weights) {
    LoraWeights read = adapter.load(written.module);
    EXPECT_TRUE(same_bits(read.a, written.a));
    EXPECT_TRUE(same_bits(read.b, written.b));
  }
}

TEST(Peft, WhatWeWriteTheReferenceLoads) {
  TempFolder folder;
  auto weights = sample_weights();
  write_peft_adapter(folder.path(), sample_config(), weights);
  auto found =
      ask_reference(cat("peft ", folder.path().string(), " model.layers.0.q_proj:6:8 model.layers.0.up_proj:6:10"));
  if (!found) GTEST_SKIP() << "no Python with peft";
  ASSERT_EQ((*found)["deltas"].size(), 2U);
  for (const auto& lora : weights) {
    at::Tensor delta = at::matmul(lora.b, lora.a).mul(sample_config().scaling_of(lora.module)).flatten();
    auto theirs = at::tensor((*found)["deltas"][lora.module].get<std::vector<float>>());
    EXPECT_TRUE(at::allclose(delta, theirs, 1e-5, 1e-6)) << lora.module;
  }
}

TEST(Peft, AnEmptyAdapterIsNotSaved) {
  TempFolder folder;
  auto weights = sample_weights();
  for (auto& lora : weights) lora.b.zero_();
  Error error = error_of([&] { write_peft_adapter(folder.path(), sample_config(), weights); });
  EXPECT_EQ(error.kind(), ErrorKind::numeric);
  EXPECT_FALSE(fs::exists(folder / "adapter_config.json"));
  write_peft_adapter(folder.path(), sample_config(), weights, Json::object(), true);
  weights[0].a[0][0] = NAN;
  EXPECT_EQ(error_of([&] { write_peft_adapter(folder.path(), sample_config(), weights, {}, true); }).message(),
            "the adapter of 'model.layers.0.q_proj' holds NaN or infinity");
}

class BrokenAdapter : public ::testing::Test {
 protected:
  std::string error_with(const std::vector<NamedTensor>& tensors) {
    write_json(folder_ / "adapter_config.json", peft_config_json(sample_config()));
    write_safetensors(folder_ / "adapter_model.safetensors", tensors);
    return error_of([&] { open_peft_adapter(folder_.path()); }).message();
  }
  TempFolder folder_;
  const std::string q_ = "base_model.model.q_proj";
};

TEST_F(BrokenAdapter, IsRefusedWithTheTensorsName) {
  at::Tensor a = at::ones({4, 6}), b = at::ones({8, 4});
  EXPECT_NE(error_with({}).find("the adapter holds no weights"), std::string::npos);
  EXPECT_NE(error_with({{q_ + ".lora_A.weight", a}}).find("there is no tensor 'base_model.model.q_proj.lora_B.weight'"),
            std::string::npos);
  EXPECT_NE(error_with({{q_ + ".lora_B.weight", b}}).find("there is no tensor 'base_model.model.q_proj.lora_A.weight'"),
            std::string::npos);
  EXPECT_NE(error_with({{q_ + ".lora_embedding_A", a}})
                .find("tensor 'base_model.model.q_proj.lora_embedding_A' is no LoRA weight"),
            std::string::npos);
  EXPECT_NE(error_with({{q_ + ".lora_A.weight", at::ones({3, 6})}, {q_ + ".lora_B.weight", at::ones({8, 3})}})
                .find("'q_proj' has lora_A of shape [3, 6] and lora_B of shape [8, 3], expected [4, in] and [out, 4]"),
            std::string::npos);
  EXPECT_NE(error_with({{"base_model.model.k.lora_A.weight", a}, {"base_model.model.k.lora_B.weight", b}})
                .find("'k' has weights, but target_modules of adapter_config.json does not name it"),
            std::string::npos);
}

}  // namespace
}  // namespace reveille::io
