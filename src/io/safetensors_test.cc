#include "io/safetensors.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/files.h"
#include "io/safetensors_write.h"
#include "io/tensor_files_testing.h"

namespace reveille::io {
namespace {

using namespace testing;  // NOLINT
namespace fs = std::filesystem;

std::string file_of(const std::string& header, const std::string& data, std::optional<std::uint64_t> length = {}) {
  std::uint64_t size = length.value_or(header.size());
  return std::string(reinterpret_cast<const char*>(&size), 8) + header + data;
}

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape,
                  const std::string& offsets) {
  return cat("\"", name, "\":{\"dtype\":\"", dtype, "\",\"shape\":", shape, ",\"data_offsets\":", offsets, "}");
}

Error error_of_bytes(const std::string& bytes) {
  return error_of([&] { SafetensorsSource::from_memory(as_bytes(bytes), "f"); });
}

TEST(Safetensors, ReadsEveryTypeOfTheReference) {
  auto source = SafetensorsSource::open(fixture("dtypes.safetensors"));
  Json expected = read_json(fixture("dtypes.json"));
  EXPECT_EQ(source->metadata().at("format"), "pt");
  EXPECT_EQ(source->metadata().at("note"), "ü");
  EXPECT_EQ(source->names().size(), expected["values"].size());
  for (const auto& [name, values] : expected["values"].items()) {
    bool named_by_type = name != "scalar" && name != "empty";
    EXPECT_EQ(source->info(name).dtype, named_by_type ? name : "F32");
    EXPECT_EQ(source->info(name).shape, expected["shapes"][name].get<std::vector<std::int64_t>>());
    at::Tensor found = source->load(name).to(at::kFloat).flatten();
    auto floats = values.get<std::vector<float>>();
    EXPECT_TRUE(same_bits(found, at::tensor(floats))) << name;
  }
  source->verify_all_used();
}

TEST(Safetensors, UnknownTypesAreNamed) {
  Error error = error_of([] { SafetensorsSource::open(fixture("float8.safetensors")); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_NE(error.message().find("tensor 'x' has dtype 'F8_E4M3'"), std::string::npos) << error.message();
}

TEST(Safetensors, MisalignedTensorsAndOddTruthValuesLoad) {
  std::string data("\x07\x00\x00\x80\x3f", 5);
  std::string bytes =
      file_of("{" + entry("b", "BOOL", "[1]", "[0,1]") + "," + entry("x", "F32", "[1]", "[1,5]") + "}", data);
  auto source = SafetensorsSource::from_memory(as_bytes(bytes), "f");
  EXPECT_EQ(source->load("x").item<float>(), 1.0F);
  EXPECT_TRUE(same_bits(source->load("b"), at::ones({1}, at::kBool)));
}

TEST(Safetensors, BrokenHeadersAreErrors) {
  std::string four(4, 'x');
  auto one = [](const std::string& shape, const std::string& offsets) {
    return "{" + entry("t", "F32", shape, offsets) + "}";
  };
  struct Case {
    std::string bytes, message;
  };
  std::string twice = "{" + entry("t", "F32", "[1]", "[0,4]") + "," + entry("t", "F32", "[1]", "[0,4]") + "}";
  std::string overlap = "{" + entry("a", "F32", "[1]", "[0,4]") + "," + entry("b", "U8", "[2]", "[2,4]") + "}";
  std::string hole = "{" + entry("a", "U8", "[1]", "[0,1]") + "," + entry("b", "U8", "[2]", "[2,4]") + "}";
  const std::vector<Case> cases = {
      {"", "f: the file ends within the header's length"},
      {"1234567", "f: the file ends within the header's length"},
      {file_of("{}", "", 3), "f: the header's length is 3, but 2 bytes follow"},
      {file_of("{}", "", ~std::uint64_t{0}), "f: the header's length is 18446744073709551615"},
      {file_of("", ""), "f: the header should begin with '{'"},
      {file_of("[]", ""), "f: the header should begin with '{'"},
      {file_of("{", ""), "f: the header is not valid JSON"},
      {file_of("{\"\xff\":1}", ""), "f: the header is not valid JSON"},
      {file_of("{\"t\":1}", ""), "f: tensor 't' has a number"},
      {file_of("{\"t\":{}}", ""), "f: tensor 't' should have the keys dtype, shape and data_offsets"},
      {file_of("{\"t\":[]}", ""), "f: tensor 't' has an array in the wrong place"},
      {file_of("{\"t\":{\"dtype\":{}}}", ""), "f: tensor 't' has an object at key 'dtype'"},
      {file_of("{\"t\":{\"kind\":1}}", ""), "f: tensor 't' has an unknown key 'kind'"},
      {file_of("{\"t\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", ""), "f: tensor 't' has key 'dtype' twice"},
      {file_of("{\"__metadata__\":{\"a\":1}}", ""), "f: tensor '__metadata__' has a number at key 'a'"},
      {file_of(twice, four), "f: tensor 't' is there twice"},
      {file_of(overlap, four), "f: tensor 'b' begins at byte 2 of the data, expected 4 (it overlaps another tensor)"},
      {file_of(hole, four), "f: tensor 'b' begins at byte 2 of the data, expected 1 (there is a hole before it)"},
      {file_of(one("[1]", "[0,4]"), "xxx"), "f: tensor 't' lies at bytes 0 to 4 of the data, which has 3 bytes"},
      {file_of(one("[1]", "[0,4]"), "xxxxx"), "f: the tensors end at byte 4 of the data, which has 5"},
      {file_of(one("[1]", "[4,0]"), four), "f: tensor 't' lies at bytes 4 to 0"},
      {file_of(one("[1]", "[0,18446744073709551615]"), four), "f: tensor 't' lies at bytes 0 to 18446744073709551615"},
      {file_of(one("[1]", "[0]"), four), "f: tensor 't' should have two data_offsets"},
      {file_of(one("[1]", "[0,4,4]"), four), "f: tensor 't' should have two data_offsets"},
      {file_of(one("[2]", "[0,4]"), four), "f: tensor 't' of shape [2] and dtype F32 should take 8 bytes"},
      {file_of(one("[-1]", "[0,4]"), four), "f: tensor 't' has the number -1 at key 'shape'"},
      {file_of(one("[1.5]", "[0,4]"), four), "f: tensor 't' has the number 1.5 at key 'shape'"},
      {file_of(one("[4611686018427387904,4]", "[0,4]"), four), "f: tensor 't' has an impossible shape"},
      {file_of(one("[4611686018427387904,4,0]", "[0,0]"), ""), "f: tensor 't' has an impossible shape"},
      {file_of(one("[18446744073709551615]", "[0,4]"), four), "f: tensor 't' has a dimension of 18446744073709551615"},
      {file_of(one("\"[1]\"", "[0,4]"), four), "f: tensor 't' has a string at key 'shape'"},
  };
  for (const auto& [bytes, message] : cases) {
    Error error = error_of_bytes(bytes);
    EXPECT_EQ(error.message().substr(0, message.size()), message);
    EXPECT_EQ(error.kind(), ErrorKind::bad_input) << message;
  }
}

TEST(Safetensors, TruncationAnywhereIsAnError) {
  std::string whole = read_file(fixture("dtypes.safetensors"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    std::string cut = whole.substr(0, size);
    ASSERT_EQ(error_of_bytes(cut).kind(), ErrorKind::bad_input) << size;
  }
}

std::vector<NamedTensor> some_tensors() {
  return {{"b", at::arange(10).to(at::kBFloat16)},
          {"odd", at::arange(3).to(at::kByte)},
          {"a", at::randn({4, 6}).t()},
          {"empty", at::zeros({0, 2})},
          {"scalar", at::full({}, 2.5)}};
}

TEST(SafetensorsWrite, RoundTrips) {
  TempFolder folder;
  auto tensors = some_tensors();
  write_safetensors(folder / "x.safetensors", tensors, {{"format", "pt"}, {"quote", "\"\n"}});
  auto source = SafetensorsSource::open(folder / "x.safetensors");
  EXPECT_EQ(source->metadata().at("quote"), "\"\n");
  for (const auto& [name, tensor] : tensors) EXPECT_TRUE(same_bits(source->load(name), tensor)) << name;
  source->verify_all_used();
}

TEST(SafetensorsWrite, TheReferenceReadsTheSame) {
  TempFolder folder;
  auto tensors = some_tensors();
  write_safetensors(folder / "x.safetensors", tensors);
  auto found = ask_reference("safetensors " + (folder / "x.safetensors").string());
  if (!found) GTEST_SKIP() << "no Python with safetensors";
  EXPECT_EQ((*found)["metadata"], (Json{{"format", "pt"}}));
  ASSERT_EQ((*found)["tensors"].size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    EXPECT_EQ((*found)["tensors"][name]["sha256"], sha256_of(tensor)) << name;
    EXPECT_EQ((*found)["tensors"][name]["shape"], Json(tensor.sizes().vec())) << name;
  }
}

TEST(SafetensorsWrite, ShardsAndTheirIndexAreReadAsOne) {
  TempFolder folder;
  auto tensors = some_tensors();
  ShardOptions options;
  write_safetensors_folder(folder.path(), tensors, options);
  options.max_shard_bytes = 30;
  auto files = write_safetensors_folder(folder.path(), tensors, options);
  ASSERT_EQ(files.size(), 3U);  // 20 + 3, 96 + 0, 4 bytes
  EXPECT_EQ(files[1].filename(), "model-00002-of-00003.safetensors");
  EXPECT_FALSE(fs::exists(folder / "model.safetensors")) << "readers would take it before the shards";
  auto source = SafetensorsSource::open(folder.path());
  EXPECT_EQ(source->files().size(), 3U);
  for (const auto& [name, tensor] : tensors) EXPECT_TRUE(same_bits(source->load(name), tensor)) << name;
  Json index = read_json(folder / "model.safetensors.index.json");
  EXPECT_EQ(index["metadata"]["total_size"], 20 + 3 + 96 + 4);
  options.max_shard_bytes = 1000;
  write_safetensors_folder(folder.path(), tensors, options);
  EXPECT_FALSE(fs::exists(folder / "model.safetensors.index.json"));
}

class Shards : public ::testing::Test {
 protected:
  void SetUp() override {
    ShardOptions options;
    options.max_shard_bytes = 4;
    write_safetensors_folder(folder_.path(), {{"a", at::ones({1})}, {"b", at::ones({1})}}, options);
    index_ = read_json(folder_ / "model.safetensors.index.json");
  }
  std::string error_with(const Json& index) {
    write_json(folder_ / "model.safetensors.index.json", index);
    return error_of([&] { SafetensorsSource::open(folder_.path()); }).message();
  }
  TempFolder folder_;
  Json index_;
  std::string path_ = folder_.path().string() + "/";
};

TEST_F(Shards, AMissingShardIsNamed) {
  fs::remove(folder_ / "model-00002-of-00002.safetensors");
  EXPECT_EQ(error_with(index_),
            path_ + "model.safetensors.index.json names model-00002-of-00002.safetensors, which is not there");
}

TEST_F(Shards, TensorsAndIndexMustAgree) {
  Json less = index_, more = index_, swapped = index_, outside = index_, wrong = index_;
  less["weight_map"].erase("b");
  less["weight_map"]["c"] = "model-00002-of-00002.safetensors";
  EXPECT_EQ(error_with(less), path_ +
                                  "model-00002-of-00002.safetensors holds tensor 'b', which "
                                  "model.safetensors.index.json does not name there");
  more["weight_map"]["c"] = "model-00002-of-00002.safetensors";
  EXPECT_EQ(error_with(more), path_ +
                                  "model.safetensors.index.json: tensor 'c' should be in "
                                  "model-00002-of-00002.safetensors, but is not");
  std::swap(swapped["weight_map"]["a"], swapped["weight_map"]["b"]);
  EXPECT_NE(error_with(swapped).find("does not name there"), std::string::npos);
  outside["weight_map"]["a"] = "../model-00001-of-00002.safetensors";
  EXPECT_NE(error_with(outside).find("expected a file of the same folder"), std::string::npos);
  wrong["weight_map"] = 3;
  EXPECT_NE(error_with(wrong).find("key 'weight_map' should be an object"), std::string::npos);
}

TEST(SafetensorsWrite, AFailedWriteKeepsTheOldFile) {
  TempFolder folder;
  write_safetensors(folder / "x.safetensors", {{"a", at::ones({2})}});
  EXPECT_EQ(error_of([&] {
              write_safetensors(folder / "x.safetensors", {{"a", at::ones({2})}, {"a", at::ones({2})}});
            }).kind(),
            ErrorKind::internal);
  EXPECT_TRUE(same_bits(SafetensorsSource::open(folder / "x.safetensors")->load("a"), at::ones({2})));
}

}  // namespace
}  // namespace reveille::io
