#include "io/gguf_types.h"

#include <algorithm>
#include <array>

namespace reveille::io {
namespace {

using F = TensorFormat;

constexpr std::array<GgmlType, 34> kTypes = {{
    {0, "F32", 1, 4, F::f32},
    {1, "F16", 1, 2, F::f16},
    {2, "Q4_0", 32, 18, F::q4_0},
    {3, "Q4_1", 32, 20, F::q4_1},
    {6, "Q5_0", 32, 22, F::q5_0},
    {7, "Q5_1", 32, 24, F::q5_1},
    {8, "Q8_0", 32, 34, F::q8_0},
    {9, "Q8_1", 32, 40, F::other},
    {10, "Q2_K", 256, 84, F::other},
    {11, "Q3_K", 256, 110, F::other},
    {12, "Q4_K", 256, 144, F::q4_k},
    {13, "Q5_K", 256, 176, F::q5_k},
    {14, "Q6_K", 256, 210, F::q6_k},
    {15, "Q8_K", 256, 292, F::other},
    {16, "IQ2_XXS", 256, 66, F::other},
    {17, "IQ2_XS", 256, 74, F::other},
    {18, "IQ3_XXS", 256, 98, F::other},
    {19, "IQ1_S", 256, 50, F::other},
    {20, "IQ4_NL", 32, 18, F::other},
    {21, "IQ3_S", 256, 110, F::other},
    {22, "IQ2_S", 256, 82, F::other},
    {23, "IQ4_XS", 256, 136, F::other},
    {24, "I8", 1, 1, F::i8},
    {25, "I16", 1, 2, F::i16},
    {26, "I32", 1, 4, F::i32},
    {27, "I64", 1, 8, F::i64},
    {28, "F64", 1, 8, F::f64},
    {29, "IQ1_M", 256, 56, F::other},
    {30, "BF16", 1, 2, F::bf16},
    {34, "TQ1_0", 256, 56, F::other},
    {35, "TQ2_0", 256, 66, F::other},
    {39, "MXFP4", 32, 17, F::other},
    {40, "NVFP4", 64, 36, F::other},
    {41, "Q1_0", 128, 18, F::other},
}};

}  // namespace

const GgmlType* find_ggml_type(std::uint32_t number) {
  auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](const GgmlType& type) { return type.number == number; });
  return found == kTypes.end() ? nullptr : &*found;
}

const GgmlType* find_ggml_type_of(TensorFormat format) {
  if (format == TensorFormat::other) return nullptr;
  auto found = std::find_if(kTypes.begin(), kTypes.end(), [&](const GgmlType& type) { return type.format == format; });
  return found == kTypes.end() ? nullptr : &*found;
}

}  // namespace reveille::io
