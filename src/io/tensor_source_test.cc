#include "io/tensor_source.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "io/gguf.h"
#include "io/tensor_files_testing.h"

namespace reveille::io {
namespace {

using namespace testing;  // NOLINT

TensorMap make_map() {
  return TensorMap("m", {{"layers.0.weight", at::ones({2, 3})},
                         {"layers.1.weight", at::ones({2, 3}) * 2},
                         {"layers.1.inv_freq", at::ones({4})},
                         {"ids", at::arange(3)}});
}

TEST(TensorSource, UnusedTensorsAreNamed) {
  TensorMap map = make_map();
  map.load("layers.0.weight");
  Error error = error_of([&] { map.verify_all_used({"*.inv_freq"}); });
  EXPECT_EQ(error.kind(), ErrorKind::bad_input);
  EXPECT_EQ(error.message(), "m: 2 of 4 tensors have no place in this architecture: 'ids', 'layers.1.weight'");
  map.load("ids");
  map.load("layers.1.weight");
  map.verify_all_used({"layers.*.inv_freq"});
  EXPECT_FALSE(map.used("layers.1.inv_freq"));
  EXPECT_EQ(error_of([&] { map.verify_all_used({"inv_freq"}); }).kind(), ErrorKind::bad_input);
}

TEST(TensorSource, ASecondLoadIsAnErrorUnlessShared) {
  TensorMap map = make_map();
  map.load("layers.0.weight");
  EXPECT_EQ(error_of([&] { map.load("layers.0.weight"); }).message(),
            "m: tensor 'layers.0.weight' is loaded a second time without being shared");
  map.declare_shared("layers.0.weight");
  EXPECT_TRUE(same_bits(map.load("layers.0.weight"), at::ones({2, 3})));
}

TEST(TensorSource, MissingTensorsNameTheNearest) {
  TensorMap map = make_map();
  Error error = error_of([&] { map.load("layers.2.weight"); });
  EXPECT_EQ(error.kind(), ErrorKind::bad_input);
  EXPECT_EQ(error.message(), "m: there is no tensor 'layers.2.weight'; did you mean 'layers.0.weight'?");
}

TEST(TensorSource, ShapesAreHeldToWhatIsExpected) {
  TensorMap map = make_map();
  EXPECT_EQ(error_of([&] {
              map.load_shaped("layers.0.weight", {3, 2});
            }).message(),
            "m: tensor 'layers.0.weight' has shape [2, 3], expected [3, 2]");
  EXPECT_EQ(error_of([&] { map.load_into("layers.0.weight", at::empty({6})); }).message(),
            "m: tensor 'layers.0.weight' has shape [2, 3], expected [6]");
  EXPECT_EQ(error_of([&] {
              map.load_into("layers.0.weight", at::empty({2, 3}, at::TensorOptions(at::kMeta)));
            }).message(),
            "m: tensor 'layers.0.weight' is to be loaded into a tensor on meta, expected cpu");
  // A failed load does not count as a use.
  EXPECT_FALSE(map.used("layers.0.weight"));
  EXPECT_TRUE(same_bits(map.load_shaped("layers.0.weight", {2, 3}, at::kHalf), at::ones({2, 3}, at::kHalf)));
}

TEST(TensorSource, FractionsNeverBecomeIntegers) {
  TensorMap map = make_map();
  EXPECT_EQ(error_of([&] { map.load("layers.0.weight", at::kLong); }).message(),
            "m: tensor 'layers.0.weight' is stored as F32, expected integers");
  EXPECT_TRUE(same_bits(map.load("ids", at::kFloat), at::arange(3).to(at::kFloat)));
}

TEST(TensorSource, TypesThatCannotBeReadAreListedAndRefusedOnLoad) {
  auto file = GgufFile::open(fixture("formats.gguf"));
  EXPECT_EQ(file->info("q2_k").dtype, "Q2_K");
  EXPECT_EQ(file->info("q2_k").shape, (std::vector<std::int64_t>{1, 256}));
  Error error = error_of([&] { file->load("q2_k"); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_NE(error.message().find("tensor 'q2_k' is stored as Q2_K"), std::string::npos) << error.message();
}

TEST(TensorFormat, SizesDoNotOverflow) {
  std::int64_t big = std::int64_t{1} << 62;
  EXPECT_EQ(element_count({2, 3, 4}), 24);
  EXPECT_EQ(element_count({}), 1);
  EXPECT_EQ(element_count({2, 0}), 0);
  EXPECT_EQ(element_count({big, 2}), std::nullopt);
  EXPECT_EQ(element_count({big, big, 0}), std::nullopt);  // its strides would overflow
  EXPECT_EQ(element_count({-1}), std::nullopt);
  EXPECT_EQ(stored_bytes({big}, 1, 4), std::nullopt);
  EXPECT_EQ(stored_bytes({2, 33}, 32, 18), std::nullopt);
  EXPECT_EQ(stored_bytes({2, 64}, 32, 18), 72U);
}

}  // namespace
}  // namespace reveille::io
