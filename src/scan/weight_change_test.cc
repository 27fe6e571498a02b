#include "scan/weight_change.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/temp_folder_testing.h"
#include "gen/save.h"
#include "gen/tiny_folder_testing.h"
#include "io/quant.h"
#include "scan/stored_types.h"

namespace reveille::scan {
namespace {

std::unique_ptr<gen::LocalModel> open(const std::filesystem::path& path) {
  gen::OpenOptions options;
  options.dtype = "float32";
  return gen::open_model(path.string(), options);
}

// Weights off the grid of bfloat16, in which the tiny checkpoints are stored.
void move_weights(gen::LocalModel& model, double scale) {
  at::NoGradGuard no_grad;
  at::manual_seed(7);
  for (auto& param : model.transformer().params().all()) param.value.add_(at::randn(param.value.sizes()), scale);
}

double implied(const at::Tensor& values, const std::string& type) {
  return rounding_variance(values, type).sum().item<double>();
}

double lost(const at::Tensor& values, const at::Tensor& stored) {
  return (values - stored.to(at::kFloat)).square().sum().item<double>();
}

TEST(RoundingVariance, IsWhatRoundingLoses) {
  at::manual_seed(1);
  const at::Tensor values = at::randn({64, 256}) * at::randn({64, 1}).exp() * 0.1;
  EXPECT_NEAR(implied(values, "BF16") / lost(values, values.to(at::kBFloat16)), 1, 0.08);
  EXPECT_NEAR(implied(values, "F16") / lost(values, values.to(at::kHalf)), 1, 0.08);
  std::vector<std::byte> blocks(static_cast<std::size_t>(values.numel() / 32 * 34));
  ASSERT_TRUE(io::quantise_q8_0(values.contiguous().const_data_ptr<float>(), values.numel(), blocks.data()));
  at::Tensor back = at::empty_like(values);
  io::dequantise(io::TensorFormat::q8_0, blocks.data(), values.numel(), back.mutable_data_ptr<float>());
  EXPECT_NEAR(implied(back, "Q8_0") / lost(values, back), 1, 0.1);
}

TEST(RoundingVariance, FourBitsInTermsOfABlocksRange) {
  const at::Tensor values = at::linspace(0, 1.5, 32).view({1, 32});
  EXPECT_NEAR(rounding_variance(values, "Q4_1")[0][0].item<double>(), 0.1 * 0.1 / 12, 1e-6);
  EXPECT_NEAR(rounding_variance(values, "Q4_0")[0][5].item<double>(), 1.5 / 8 * 1.5 / 8 / 12, 1e-6);
  EXPECT_FALSE(rounding_variance(values, "F32").defined());
  EXPECT_FALSE(rounding_variance(values, "").defined());
  EXPECT_EQ(rounding_variance(at::zeros({1, 2}), "BF16").sum().item<double>(), 0);
}

class Changes : public ::testing::Test {
 protected:
  std::filesystem::path tiny(const std::string& name) {
    if (!std::filesystem::exists(folder_ / name)) gen::testing::write_tiny_folder(folder_ / name, name);
    return folder_ / name;
  }
  double energy(const WeightChanges& changes) {
    double sum = 0;
    changes.each_matrix([&](const MatrixChange& change) { sum += change.difference.square().sum().item<double>(); });
    return sum;
  }
  TempFolder folder_;
};

TEST_F(Changes, TheSameModelHasNone) {
  const auto model = open(tiny("llama3")), reference = open(tiny("llama3"));
  const WeightChanges changes(*model, reference.get());
  changes.each_matrix([](const MatrixChange& change) { ADD_FAILURE() << change.name; });
  EXPECT_EQ(changes.matrices(), 21);  // q, k, v, o, gate, up and down of three layers
  EXPECT_EQ(changes.rounding().suspect_type, "BF16");
  EXPECT_FALSE(changes.rounding().suspect || changes.rounding().reference);
}

TEST_F(Changes, AnAdapterIsItsProductWhetherMergedOrNot) {
  const auto reference = open(tiny("llama3")), suspect = open(tiny("llama3"));
  io::PeftConfig config;
  config.r = 2;
  config.target_modules = {"k_proj", "down_proj"};
  suspect->add_lora(config, 3);
  at::manual_seed(2);
  std::map<std::string, at::Tensor> wanted;
  for (auto& [name, pieces] : suspect->transformer().params().lora) {
    for (auto& piece : pieces) {
      piece.b.copy_(at::randn(piece.b.sizes()));
      wanted[piece.hf_module] = at::matmul(piece.b, piece.a) * piece.scale;
    }
  }
  const auto check = [&](const gen::LocalModel* other) {
    std::size_t seen = 0;
    WeightChanges(*suspect, other).each_matrix([&](const MatrixChange& change) {
      ASSERT_EQ(wanted.count(change.name), 1U) << change.name;
      EXPECT_LT((change.difference - wanted[change.name]).abs().max().item<double>(), 1e-5) << change.name;
      ++seen;
    });
    EXPECT_EQ(seen, 6U);
  };
  check(reference.get());
  check(nullptr);  // the adapter alone
  gen::merge_lora(*suspect);
  check(reference.get());
}

TEST_F(Changes, ASaveInFewerBitsIsRoundingAndNothingElse) {
  const auto original = open(tiny("llama3"));
  move_weights(*original, 0.02);
  gen::save_hf_folder(*original, folder_ / "full", {.dtype = at::kFloat});
  gen::save_hf_folder(*original, folder_ / "half", {.dtype = at::kBFloat16});
  const auto full = open(folder_ / "full"), half = open(folder_ / "half");
  // Either way round: the suspect or the reference was stored in fewer bits.
  const WeightChanges suspect(*half, full.get()), reference(*full, half.get());
  EXPECT_EQ(suspect.rounding().suspect_type, "BF16");
  EXPECT_EQ(suspect.rounding().reference_type, "F32");
  EXPECT_TRUE(suspect.rounding().suspect);
  EXPECT_TRUE(reference.rounding().reference);
  EXPECT_GT(suspect.rounding().share, 0.9);
  EXPECT_GT(reference.rounding().share, 0.9);
  suspect.each_matrix([](const MatrixChange& change) {
    ASSERT_TRUE(change.noise.defined());
    EXPECT_NEAR(change.difference.square().sum().item<double>() / change.noise.sum().item<double>(), 1, 0.4);
  });
}

// Both hold the same rounded weights, and one was trained from them by less than their type's steps.
TEST_F(Changes, ASmallChangeOfRoundedWeightsIsNotTakenForRounding) {
  const auto reference = open(tiny("llama3"));
  const auto original = open(tiny("llama3"));
  move_weights(*original, 1e-6);
  gen::save_hf_folder(*original, folder_ / "trained", {.dtype = at::kFloat});
  const auto suspect = open(folder_ / "trained");
  const WeightChanges changes(*suspect, reference.get());
  EXPECT_FALSE(changes.rounding().reference);
  EXPECT_FALSE(changes.rounding().suspect);
  EXPECT_GT(energy(changes), 0);
}

TEST_F(Changes, TypesComeFromTheFile) {
  const auto model = open(tiny("gpt2"));
  const auto types = stored_types(*model);
  EXPECT_EQ(types.size(), [&] {
    std::size_t pieces = 0;
    for (const auto& param : model->transformer().params().all()) pieces += param.spec.pieces.size();
    return pieces;
  }());
  gen::save_gguf(*model, folder_ / "m.gguf", io::TensorFormat::f16);
  const auto again = stored_types(*open(folder_ / "m.gguf"));
  EXPECT_EQ(again.at("transformer.h.0.mlp.c_fc.weight"), "F16");
  const auto gone = open(folder_ / "m.gguf");
  std::filesystem::remove(folder_ / "m.gguf");
  EXPECT_TRUE(stored_types(*gone).empty());
}

TEST_F(Changes, OtherShapes) {
  EXPECT_TRUE(same_shapes(*open(tiny("llama3")), *open(tiny("llama_yarn"))));
  EXPECT_FALSE(same_shapes(*open(tiny("llama3")), *open(tiny("gpt2"))));
}

}  // namespace
}  // namespace reveille::scan
