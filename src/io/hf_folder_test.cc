#include "io/hf_folder.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/files.h"
#include "io/gguf.h"
#include "io/safetensors_write.h"
#include "io/tensor_files_testing.h"
#include "io/weight_file.h"

namespace reveille::io {
namespace {

using namespace testing;  // NOLINT
namespace fs = std::filesystem;

class HfFolderTest : public ::testing::Test {
 protected:
  Error error_with(const Json& config) {
    write_json(folder_ / "config.json", config);
    return error_of([&] { open_hf_folder(folder_.path()); });
  }
  TempFolder folder_;
  std::string config_ = (folder_ / "config.json").string();
};

TEST_F(HfFolderTest, OpensConfigAndWeights) {
  write_json(folder_ / "config.json", {{"model_type", "llama"}, {"auto_map", nullptr}});
  write_json(folder_ / "generation_config.json", {{"eos_token_id", 2}});
  write_safetensors(folder_ / "model.safetensors", {{"w", at::ones({2})}});
  EXPECT_TRUE(is_hf_folder(folder_.path()));
  HfFolder model = open_hf_folder(folder_.path());
  EXPECT_EQ(model.config["model_type"], "llama");
  EXPECT_EQ((*model.generation_config)["eos_token_id"], 2);
  EXPECT_TRUE(same_bits(model.tensors->load("w"), at::ones({2})));
}

TEST_F(HfFolderTest, CustomCodeIsRefusedWithItsKey) {
  Error error = error_with({{"auto_map", {{"AutoModel", "modeling.Evil"}}}});
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_EQ(error.message(),
            config_ + ": key 'auto_map' asks for Python code that comes with the model; Reveille never runs such code");
  EXPECT_NE(error_with({{"text_config", {{"auto_map", "x"}}}}).message().find("key 'text_config.auto_map'"),
            std::string::npos);
  EXPECT_NE(error_with({{"trust_remote_code", true}}).message().find("key 'trust_remote_code'"), std::string::npos);
}

TEST_F(HfFolderTest, QuantisedWeightsAreRefused) {
  EXPECT_NE(error_with({{"quantization_config", {{"quant_method", "gptq"}}}}).message().find("(method 'gptq')"),
            std::string::npos);
}

TEST_F(HfFolderTest, MissingPartsAreNamed) {
  EXPECT_EQ(error_of([&] { open_hf_folder(folder_.path()); }).message(),
            folder_.path().string() + " holds no config.json, which a model folder should");
  EXPECT_EQ(error_of([&] { open_hf_folder(folder_ / "none"); }).kind(), ErrorKind::not_found);
  EXPECT_EQ(error_with(Json::object()).message(),
            folder_.path().string() + " holds no weights: expected model.safetensors or model.safetensors.index.json");
  EXPECT_EQ(error_with({1, 2}).message(), config_ + ": expected an object, found array");
}

TEST_F(HfFolderTest, APickleFolderIsRefused) {
  fs::copy_file(fixture("pickle_zip.bin"), folder_ / "pytorch_model.bin");
  Error error = error_with(Json::object());
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_EQ(error.message(),
            (folder_ / "pytorch_model.bin").string() +
                " is a Python pickle; opening one can run any code that its author put in, so Reveille does not");
  EXPECT_NE(error.hint().find("safe_serialization=True"), std::string::npos);
}

TEST_F(HfFolderTest, PicklesAreKnownByContent) {
  for (const char* name : {"pickle_zip.bin", "pickle_legacy.pt"}) {
    EXPECT_EQ(weight_file_kind(fixture(name)), WeightFileKind::pickle);
    fs::path renamed = folder_ / (std::string(name) + ".safetensors");
    fs::copy_file(fixture(name), renamed);
    EXPECT_EQ(error_of([&] { SafetensorsSource::open(renamed); }).kind(), ErrorKind::unsupported);
    EXPECT_EQ(error_of([&] { GgufFile::open(renamed); }).kind(), ErrorKind::unsupported);
  }
  EXPECT_EQ(weight_file_kind(fixture("formats.gguf")), WeightFileKind::gguf);
  EXPECT_EQ(weight_file_kind(fixture("dtypes.safetensors")), WeightFileKind::safetensors);
  EXPECT_EQ(weight_file_kind(fixture("dtypes.json")), WeightFileKind::other);
  EXPECT_EQ(error_of([] { weight_file_kind("no/such/file"); }).kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace reveille::io
