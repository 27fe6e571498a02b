#include "io/quant.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "io/gguf.h"
#include "io/quant_blocks.h"
#include "io/safetensors.h"
#include "io/tensor_files_testing.h"

namespace reveille::io {
namespace {

using namespace testing;  // NOLINT

class Formats : public ::testing::TestWithParam<const char*> {};

TEST_P(Formats, DequantisesToTheReferencesBits) {
  auto file = GgufFile::open(fixture("formats.gguf"));
  at::Tensor expected = SafetensorsSource::open(fixture("formats_expected.safetensors"))->load(GetParam());
  EXPECT_TRUE(same_bits(file->load(GetParam(), at::kFloat), expected)) << GetParam();
}

TEST_P(Formats, RoundsToBfloat16AsTorchDoes) {
  auto file = GgufFile::open(fixture("formats.gguf"));
  at::Tensor expected = SafetensorsSource::open(fixture("formats_expected.safetensors"))->load(GetParam());
  EXPECT_TRUE(same_bits(file->load(GetParam(), at::kBFloat16), expected.to(at::kBFloat16))) << GetParam();
}

INSTANTIATE_TEST_SUITE_P(Gguf, Formats,
                         ::testing::Values("f64", "f32", "f16", "bf16", "i8", "i16", "i32", "i64", "q4_0", "q4_1",
                                           "q5_0", "q5_1", "q8_0", "q4_k", "q5_k", "q6_k"));

TEST(Quant, LoadsIntoSlicesAndOtherTypes) {
  auto file = GgufFile::open(fixture("formats.gguf"));
  file->declare_shared("q4_1");
  at::Tensor whole = at::zeros({4, 96});
  file->load_into("q4_1", whole.slice(0, 2, 4));
  at::Tensor value = file->load("q4_1");
  EXPECT_TRUE(same_bits(whole.slice(0, 2, 4), value));
  EXPECT_TRUE(whole.slice(0, 0, 2).eq(0).all().item<bool>());
  EXPECT_TRUE(same_bits(file->load("q4_1", at::kHalf), value.to(at::kHalf)));
  EXPECT_TRUE(same_bits(file->load("q4_1", at::kDouble), value.to(at::kDouble)));
}

TEST(Quant, EveryHalfConvertsExactly) {
  for (int bits = 0; bits < 65536; ++bits) {
    c10::Half half(static_cast<std::uint16_t>(bits), c10::Half::from_bits());
    float expected = half, found = half_bits_to_float(half.x);
    ASSERT_TRUE(std::isnan(expected) ? std::isnan(found) : std::memcmp(&expected, &found, 4) == 0) << bits;
  }
}

TEST(Quant, QuantisesQ8_0ToTheReferencesBytes) {
  auto source = SafetensorsSource::open(fixture("q8_0.safetensors"));
  at::Tensor values = source->load("values"), expected = source->load("blocks");
  at::Tensor found = at::empty_like(expected);
  ASSERT_TRUE(quantise_q8_0(values.data_ptr<float>(), 7 * 64, static_cast<std::byte*>(found.data_ptr())));
  EXPECT_TRUE(same_bits(found, expected));
}

TEST(Quant, Q8_0OfTinyValuesIsZeroAndOfUnfitValuesRefused) {
  at::Tensor values = at::full({32}, 1e-42F), blocks = at::ones({34}, at::kByte);
  auto* out = static_cast<std::byte*>(blocks.data_ptr());
  EXPECT_TRUE(quantise_q8_0(values.data_ptr<float>(), 32, out));
  EXPECT_TRUE(blocks.eq(0).all().item<bool>());
  for (float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity(), 1e8F}) {
    values[5] = bad;
    EXPECT_FALSE(quantise_q8_0(values.data_ptr<float>(), 32, out)) << bad;
  }
}

}  // namespace
}  // namespace reveille::io
