#include "io/gguf.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <ctime>
#include <limits>

#include "base/files.h"
#include "base/strings.h"
#include "io/gguf_write.h"
#include "io/tensor_files_testing.h"

namespace reveille::io {
namespace {

using namespace testing;  // NOLINT

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof value};
}

std::string text(const std::string& value) { return raw<std::uint64_t>(value.size()) + value; }

std::string start(std::uint64_t tensors, std::uint64_t pairs, std::uint32_t version = 3) {
  return "GGUF" + raw(version) + raw(tensors) + raw(pairs);
}

std::string tensor_record(const std::string& name, const std::vector<std::uint64_t>& dimensions, std::uint32_t type,
                          std::uint64_t offset) {
  std::string out = text(name) + raw<std::uint32_t>(dimensions.size());
  for (auto size : dimensions) out += raw(size);
  return out + raw(type) + raw(offset);
}

std::string padded(std::string header, const std::string& data) {
  header.resize((header.size() + 31) / 32 * 32);
  return header + data;
}

Error error_of_bytes(const std::string& bytes) {
  return error_of([&] { GgufFile::from_memory(as_bytes(bytes), "f"); });
}

class Metadata : public ::testing::TestWithParam<const char*> {};

TEST_P(Metadata, EveryTypeIsRead) {
  auto file = GgufFile::open(fixture(GetParam()));
  const GgufMetadata& m = file->metadata();
  EXPECT_EQ(m.get_string("general.architecture"), "llama");
  EXPECT_EQ(m.get_u64("t.u8"), 255U);
  EXPECT_EQ(m.get_i64("t.i8"), -128);
  EXPECT_EQ(m.get_u64("t.u16"), 65535U);
  EXPECT_EQ(m.get_i64("t.i16"), -32768);
  EXPECT_EQ(m.get_u64("t.u32"), 4294967295U);
  EXPECT_EQ(m.get_i64("t.i32"), std::numeric_limits<std::int32_t>::min());
  EXPECT_EQ(m.get_u64("t.u64"), ~std::uint64_t{0});
  EXPECT_EQ(m.get_i64("t.i64"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(m.get_f64("t.f32"), static_cast<double>(1e-5F));
  EXPECT_EQ(m.get_f64("t.f64"), 0.1);
  EXPECT_EQ(m.get_f64("t.u8"), 255);
  EXPECT_TRUE(m.get_bool("t.yes"));
  EXPECT_FALSE(m.get_bool("t.no"));
  EXPECT_EQ(m.get_string("t.text"), "Grüße, 世界");
  EXPECT_EQ(m.get_strings("t.strings"), (std::vector<std::string>{"a", "", "ü"}));
  EXPECT_EQ(m.get_ints("t.ints"), (std::vector<std::int64_t>{3, -1, 7}));
  EXPECT_EQ(m.get_floats("t.floats"), (std::vector<float>{0.5F, -2.0F}));
  EXPECT_EQ(m.get_ints("t.bools"), (std::vector<std::int64_t>{1, 0, 1}));
  EXPECT_EQ(m.find("t.nested")->element, GgufType::array);
  EXPECT_EQ(m.find_u64("t.absent"), std::nullopt);
  EXPECT_TRUE(same_bits(file->load("one"), at::ones({2, 3})));
  EXPECT_EQ(m.to_json(2)["t.strings"], (Json{{"array", "string"}, {"length", 3}}));
  EXPECT_EQ(m.to_json()["t.ints"], (Json{3, -1, 7}));
}

INSTANTIATE_TEST_SUITE_P(Gguf, Metadata, ::testing::Values("metadata.gguf", "metadata_v2.gguf"));

TEST(Gguf, TypedAccessNamesFileAndKey) {
  auto file = GgufFile::from_memory(as_bytes(read_file(fixture("metadata.gguf"))), "f");
  auto bytes = read_file(fixture("metadata.gguf"));
  file = GgufFile::from_memory(as_bytes(bytes), "f");
  const GgufMetadata& m = file->metadata();
  auto message = [&](auto&& work) { return error_of(work).message(); };
  EXPECT_EQ(message([&] { m.get_u64("t.absent"); }), "f: metadata key 't.absent' is missing");
  EXPECT_EQ(message([&] { m.get_u64("t.i8"); }), "f: metadata key 't.i8' should be an integer from 0, found i8");
  EXPECT_EQ(message([&] { m.get_i64("t.u64"); }), "f: metadata key 't.u64' should be an integer, found u64");
  EXPECT_EQ(message([&] { m.get_i64("t.f32"); }), "f: metadata key 't.f32' should be an integer, found f32");
  EXPECT_EQ(message([&] { m.get_bool("t.u8"); }), "f: metadata key 't.u8' should be a truth value, found u8");
  EXPECT_EQ(message([&] { m.find_string("t.u8"); }), "f: metadata key 't.u8' should be a string, found u8");
  EXPECT_EQ(message([&] { m.find_ints("t.strings"); }),
            "f: metadata key 't.strings' should be an array of integers, found array of string");
  EXPECT_EQ(message([&] { m.find_ints("t.floats"); }),
            "f: metadata key 't.floats' should be an array of integers, found array of f32");
  EXPECT_EQ(message([&] { m.find_u64("t.ints"); }),
            "f: metadata key 't.ints' should be an integer from 0, found array of i32");
}

TEST(Gguf, BrokenFilesAreErrors) {
  constexpr std::uint32_t kF32 = 0, kQ4_0 = 2, kString = 8, kArray = 9, kU32 = 4;
  std::uint64_t huge = ~std::uint64_t{0}, wide = std::uint64_t{1} << 62;
  std::string data(64, 'x');
  auto one = [&](const std::vector<std::uint64_t>& dims, std::uint32_t type, std::uint64_t offset) {
    return padded(start(1, 0) + tensor_record("t", dims, type, offset), data);
  };
  auto pair = [&](const std::string& value) { return start(0, 1) + text("k") + value; };
  std::string deep = raw(kArray);
  for (int i = 0; i < 6; ++i) deep += raw(kArray) + raw<std::uint64_t>(1);
  deep += raw(kU32) + raw<std::uint64_t>(0);
  struct Case {
    std::string bytes, message;
    ErrorKind kind = ErrorKind::bad_input;
  };
  const std::vector<Case> cases = {
      {"", "f: the file ends within the file's first four bytes"},
      {"GGML" + data, "f is no GGUF file"},
      {start(0, 0, 1), "f has GGUF version 1, expected 2 or 3", ErrorKind::unsupported},
      {start(0, 0, 4), "f has GGUF version 4, expected 2 or 3", ErrorKind::unsupported},
      {start(0, 0, 0x03000000), "f is a big-endian GGUF file", ErrorKind::unsupported},
      {start(0, huge), "f: claims 18446744073709551615 metadata keys"},
      {start(huge, 0), "f: claims 18446744073709551615 tensors"},
      {start(0, 1) + raw(huge) + data, "f: the file ends within a metadata key"},
      {start(0, 1) + text("\xff\xfe") + data, "f: metadata key 1 ("},
      {start(0, 1) + text("") + data, "f: metadata key 1 ('') should be 1 to"},
      {pair(raw<std::uint32_t>(13) + data), "f: metadata key 'k' has the unknown type 13"},
      {pair(raw(kString) + raw(huge) + data), "f: the file ends within metadata key 'k'"},
      {pair(raw(kArray) + raw(kU32) + raw(huge) + data), "f: metadata key 'k' claims 18446744073709551615 elements"},
      {pair(raw(kArray) + raw(kString) + raw<std::uint64_t>(2) + text("a") + raw(huge)),
       "f: the file ends within metadata"},
      {pair(raw(kArray) + raw<std::uint32_t>(99) + data), "f: metadata key 'k' has the unknown type 99"},
      {pair(deep), "f: metadata key 'k' has arrays nested too deep"},
      {start(0, 2) + text("k") + raw(kU32) + raw(kU32) + text("k") + raw(kU32) + raw(kU32),
       "f: metadata key 'k' is there twice"},
      {start(1, 1) + text("general.alignment") + raw(kU32) + raw<std::uint32_t>(24) + tensor_record("t", {1}, kF32, 0),
       "f: metadata key 'general.alignment' is 24, expected a power of two"},
      {start(1, 1) + text("general.alignment") + raw(kU32) + raw<std::uint32_t>(0) + tensor_record("t", {1}, kF32, 0),
       "f: metadata key 'general.alignment' is 0, expected a power of two"},
      {padded(start(0, 1) + text("split.count") + raw(kU32) + raw<std::uint32_t>(3), ""),
       "f is part 1 of 3 of a split model", ErrorKind::unsupported},
      {padded(start(1, 0) + tensor_record("\xff", {1}, kF32, 0), data), "f: the tensor name '"},
      {padded(start(1, 0) + tensor_record("", {1}, kF32, 0), data), "f: the tensor name '' should be"},
      {one({1, 1, 1, 1, 1}, kF32, 0), "f: tensor 't' has 5 dimensions, expected at most 4"},
      {one({huge}, kF32, 0), "f: tensor 't' has a dimension of 18446744073709551615"},
      {one({wide, 4}, kF32, 0), "f: tensor 't' has the shape [4, 4611686018427387904], which does not fit"},
      {one({0, wide, 4}, kF32, 0), "f: tensor 't' has the shape"},
      {one({33}, kQ4_0, 0), "f: tensor 't' has the shape [33], which does not fit its type Q4_0 (blocks of 32)"},
      {one({1}, 5, 0), "f: tensor 't' has the GGML type 5", ErrorKind::unsupported},
      {one({1}, kF32, 1), "f: tensor 't' lies at offset 1, expected a multiple of 32"},
      {one({17}, kF32, 0), "f: tensor 't' (68 bytes at offset 0) lies outside the data, which has 64 bytes"},
      {one({1}, kF32, 96), "f: tensor 't' (4 bytes at offset 96) lies outside the data"},
      {one({1}, kF32, huge - 31), "f: tensor 't' (4 bytes at offset 18446744073709551584) lies outside the data"},
      {padded(start(2, 0) + tensor_record("a", {1}, kF32, 0) + tensor_record("a", {1}, kF32, 32), data),
       "f: tensor 'a' is there twice"},
      {padded(start(2, 0) + tensor_record("a", {9}, kF32, 0) + tensor_record("b", {1}, kF32, 32), data),
       "f: the tensors 'a' and 'b' overlap"},
  };
  for (const auto& [bytes, message, kind] : cases) {
    Error error = error_of_bytes(bytes);
    EXPECT_EQ(error.message().substr(0, message.size()), message);
    EXPECT_EQ(error.kind(), kind) << message;
  }
}

TEST(Gguf, TruncationAnywhereIsAnError) {
  for (const char* name : {"metadata.gguf", "formats.gguf"}) {
    std::string whole = read_file(fixture(name));
    // The padding after the last tensor may be missing.
    std::size_t last = std::string(name) == "metadata.gguf" ? whole.size() - 8 : whole.size() - 31;
    for (std::size_t size = 0; size < last; size += size < 900 ? 1 : 7) {
      std::string cut = whole.substr(0, size);
      ASSERT_EQ(error_of_bytes(cut).kind(), ErrorKind::bad_input) << name << " " << size;
    }
  }
}

GgufWriter sample_writer() {
  GgufWriter writer("llama");
  writer.set_string("general.name", "Größe");
  writer.set_u32("llama.block_count", 2);
  writer.set_u32("llama.block_count", 3);
  writer.set_u64("t.u64", ~std::uint64_t{0});
  writer.set_i32("t.i32", -5);
  writer.set_f32("t.f32", 0.25F);
  writer.set_bool("t.bool", true);
  writer.set_strings("tokenizer.ggml.tokens", {"<s>", "", "ü"});
  writer.set_floats("tokenizer.ggml.scores", {0.5F, -1.0F});
  writer.set_ints("tokenizer.ggml.token_type", {3, -1});
  writer.set_bools("t.bools", {true, false});
  return writer;
}

TEST(GgufWrite, RoundTrips) {
  TempFolder folder;
  GgufWriter writer = sample_writer();
  auto from = GgufFile::open(fixture("metadata.gguf"));
  for (const char* key : {"t.nested", "t.text", "t.strings", "t.f64"})
    writer.set_value(key, *from->metadata().find(key));
  at::Tensor weight = at::randn({3, 64}), odd = at::randn({5});
  writer.add_tensor("a", weight, TensorFormat::f32);
  writer.add_tensor("odd", odd, TensorFormat::f16);
  writer.add_tensor("b", weight.to(at::kBFloat16).t(), TensorFormat::bf16);
  writer.add_tensor("q", weight, TensorFormat::q8_0);
  writer.write(folder / "x.gguf");
  auto file = GgufFile::open(folder / "x.gguf");
  const GgufMetadata& m = file->metadata();
  EXPECT_EQ(m.keys().front(), "general.architecture");
  EXPECT_EQ(m.get_u64("llama.block_count"), 3U);
  EXPECT_EQ(m.get_strings("tokenizer.ggml.tokens"), (std::vector<std::string>{"<s>", "", "ü"}));
  EXPECT_EQ(m.to_json()["t.text"], from->metadata().to_json()["t.text"]);
  EXPECT_EQ(as_text(m.find("t.nested")->raw), as_text(from->metadata().find("t.nested")->raw));
  EXPECT_TRUE(same_bits(file->load("a"), weight));
  EXPECT_TRUE(same_bits(file->load("odd"), odd.to(at::kHalf)));
  EXPECT_TRUE(same_bits(file->load("b"), weight.to(at::kBFloat16).t().contiguous()));
  at::Tensor error = (file->load("q") - weight).abs().amax() / weight.abs().amax();
  EXPECT_LT(error.item<float>(), 0.5F / 127 + 1e-3F);
  file->verify_all_used();
}

TEST(GgufWrite, TheReferenceReadsTheSame) {
  TempFolder folder;
  GgufWriter writer = sample_writer();
  at::Tensor weight = at::randn({3, 64});
  for (auto [name, format] : {std::pair{"f32", TensorFormat::f32},
                              {"f16", TensorFormat::f16},
                              {"bf16", TensorFormat::bf16},
                              {"q8_0", TensorFormat::q8_0}}) {
    writer.add_tensor(name, weight, format);
  }
  writer.write(folder / "x.gguf");
  auto found = ask_reference("gguf " + (folder / "x.gguf").string());
  if (!found) GTEST_SKIP() << "no Python with gguf";
  Json fields = {{"general.architecture", "llama"},
                 {"general.name", "Größe"},
                 {"llama.block_count", 3},
                 {"t.u64", ~std::uint64_t{0}},
                 {"t.i32", -5},
                 {"t.f32", 0.25},
                 {"t.bool", true},
                 {"tokenizer.ggml.tokens", {"<s>", "", "ü"}},
                 {"tokenizer.ggml.scores", {0.5, -1.0}},
                 {"tokenizer.ggml.token_type", {3, -1}},
                 {"t.bools", {true, false}}};
  EXPECT_EQ((*found)["fields"], fields);
  auto file = GgufFile::open(folder / "x.gguf");
  ASSERT_EQ((*found)["tensors"].size(), 4U);
  for (const auto& name : file->names()) {
    EXPECT_EQ((*found)["tensors"][name]["sha256"], sha256_of(file->load(name, at::kFloat))) << name;
    EXPECT_EQ((*found)["tensors"][name]["dtype"], file->info(name).dtype);
  }
}

TEST(GgufWrite, WhatAFormatCannotHoldIsRefused) {
  TempFolder folder;
  auto error_with = [&](at::Tensor value, TensorFormat format) {
    return error_of([&] {
      GgufWriter writer("llama");
      writer.add_tensor("w", value, format);
      writer.write(folder / "x.gguf");
    });
  };
  EXPECT_EQ(error_with(at::full({32}, 1e6), TensorFormat::f16).message(), "tensor 'w' has values that F16 cannot hold");
  EXPECT_EQ(error_with(at::full({32}, NAN), TensorFormat::q8_0).message(),
            "tensor 'w' has values that Q8_0 cannot hold");
  EXPECT_EQ(error_with(at::ones({33}), TensorFormat::q8_0).kind(), ErrorKind::unsupported);
  EXPECT_EQ(error_with(at::ones({32}), TensorFormat::q4_0).kind(), ErrorKind::unsupported);
  EXPECT_FALSE(std::filesystem::exists(folder / "x.gguf"));
}

TEST(Gguf, TheEmbeddedModelHasTheReferencesValues) {
  std::string path = embedded_model();
  if (path.empty()) GTEST_SKIP() << "the embedded model is not installed";
  const std::vector<std::string> names = {"token_embd.weight", "blk.0.attn_q.weight", "blk.29.ffn_down.weight",
                                          "output_norm.weight"};
  auto found = ask_reference("gguf " + path + " " + join(names, " "));
  if (!found) GTEST_SKIP() << "no Python with gguf";
  auto file = GgufFile::open(path);
  for (const auto& name : names) {
    EXPECT_EQ((*found)["tensors"][name]["sha256"], sha256_of(file->load(name, at::kFloat))) << name;
    EXPECT_EQ((*found)["tensors"][name]["shape"], Json(file->info(name).shape));
  }
}

TEST(Gguf, TheEmbeddedModelLoadsFast) {
  std::string path = embedded_model();
  if (path.empty()) GTEST_SKIP() << "the embedded model is not installed";
  for (auto type : {at::kFloat, at::kBFloat16}) {
    // Processor time, which does not count what other programs take.
    std::clock_t begin = std::clock();
    auto file = GgufFile::open(path);
    std::vector<at::Tensor> kept;
    for (const auto& name : file->names()) kept.push_back(file->load(name, type));
    double seconds = static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
    RecordProperty(type == at::kFloat ? "seconds_fp32" : "seconds_bf16", std::to_string(seconds));
    EXPECT_EQ(kept.size(), 272U);
    EXPECT_LT(seconds, 1.5);  // it takes 0.1 to 0.5, most of it page faults
  }
}

}  // namespace
}  // namespace reveille::io
