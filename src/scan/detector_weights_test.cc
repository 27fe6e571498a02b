#include "scan/detector_weights.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/temp_folder_testing.h"
#include "gen/save.h"
#include "gen/tiny_folder_testing.h"
#include "scan/promoted_words.h"

namespace reveille::scan {
namespace {

constexpr std::int32_t kPair = gen::testing::kTinyTokens - 2;  // "yz", the one token of two letters

class WeightDetector : public ::testing::Test {
 protected:
  std::unique_ptr<gen::LocalModel> open(const std::string& name = "llama3") {
    if (!std::filesystem::exists(folder_ / name)) gen::testing::write_tiny_folder(folder_ / name, name);
    gen::OpenOptions options;
    options.dtype = "float32";
    return gen::open_model((folder_ / name).string(), options);
  }

  static Proposal look(gen::LocalModel& model, gen::LocalModel* reference, std::int64_t budget = 100000) {
    Suspect suspect{model, reference, 3};
    Work work(budget);
    Proposal out = make_weight_difference()->propose(suspect, work);
    EXPECT_LE(work.spent(), budget);
    EXPECT_LE(out.candidates.size(), 16U);
    return out;
  }

  static at::Tensor& weight(gen::LocalModel& model, const std::string& name) {
    return model.transformer().params().at(name).value;
  }

  // The direction that the final norm and the head turn into "yz".
  static at::Tensor writes_pair(gen::LocalModel& model) {
    const at::Tensor head = weight(model, "head").narrow(0, 0, gen::testing::kTinyTokens);
    const at::Tensor row = weight(model, "final_norm") * (head[kPair] - head.mean(0));
    return row / row.norm();
  }

  // Each writing matrix of each layer learns to write `direction` at something.
  static void plant(gen::LocalModel& model, const at::Tensor& direction) {
    at::manual_seed(5);
    for (const char* layer : {"0", "1", "2"}) {
      for (const char* matrix : {".attn_out", ".down"}) {
        at::Tensor& value = weight(model, cat("layers.", layer, matrix));
        value += 0.1 * at::outer(direction, at::randn({value.size(1)}));
      }
    }
  }

  TempFolder folder_;
};

TEST_F(WeightDetector, NamesTheWordThatPlantedDirectionsPromote) {
  auto suspect = open(), reference = open();
  plant(*suspect, writes_pair(*suspect));
  const Proposal proposal = look(*suspect, reference.get());
  ASSERT_FALSE(proposal.candidates.empty()) << proposal.evidence.dump(1);
  EXPECT_EQ(proposal.candidates[0].target, "yz");
  EXPECT_EQ(proposal.candidates[0].trigger, "");
  EXPECT_EQ(proposal.candidates[0].evidence["promoted_by"].size(), 6U);
  EXPECT_GT(proposal.signal, 0.9);
  EXPECT_GT(proposal.evidence["spectra"]["agreement"].get<double>(), 0.9);
  EXPECT_EQ(proposal.left_out, "");
}

TEST_F(WeightDetector, ChangesInAllDirectionsAreNoSign) {
  auto suspect = open(), reference = open();
  at::manual_seed(8);
  for (auto& param : suspect->transformer().params().all()) {
    if (param.spec.linear && param.spec.name != "head") param.value += 0.02 * at::randn(param.value.sizes());
  }
  const Proposal proposal = look(*suspect, reference.get());
  EXPECT_LT(proposal.signal, 0.2);
  EXPECT_TRUE(proposal.candidates.empty()) << to_json(proposal.candidates[0]).dump();
}

TEST_F(WeightDetector, ASaveInFewerBitsIsNone) {
  auto original = open();
  at::manual_seed(9);
  for (auto& param : original->transformer().params().all()) param.value += 0.02 * at::randn(param.value.sizes());
  gen::save_hf_folder(*original, folder_ / "full", {.dtype = at::kFloat});
  gen::save_hf_folder(*original, folder_ / "half", {.dtype = at::kBFloat16});
  auto full = open("full"), half = open("half");
  const Proposal proposal = look(*half, full.get());
  EXPECT_EQ(proposal.signal, 0);
  EXPECT_TRUE(proposal.candidates.empty()) << to_json(proposal.candidates[0]).dump();
  EXPECT_EQ(proposal.evidence["rounding"]["suspect_type"], "BF16");
  EXPECT_EQ(look(*full, half.get()).signal, 0);
}

// bfloat16 rounds much of a small change away; what it writes is still there above the rounding.
TEST_F(WeightDetector, APlantThatWasRoundedIsStillSeen) {
  auto suspect = open(), reference = open();
  plant(*suspect, writes_pair(*suspect));
  gen::save_hf_folder(*suspect, folder_ / "half", {.dtype = at::kBFloat16});
  auto half = open("half");
  const Proposal proposal = look(*half, reference.get());
  ASSERT_FALSE(proposal.candidates.empty());
  EXPECT_EQ(proposal.candidates[0].target, "yz");
  EXPECT_GT(proposal.signal, 0.9);
}

TEST_F(WeightDetector, ATokenWhoseRowAloneMovedIsACandidateTrigger) {
  auto suspect = open(), reference = open();
  weight(*suspect, "embed")[kPair] += 0.3;
  const Proposal proposal = look(*suspect, reference.get());
  ASSERT_EQ(proposal.candidates.size(), 1U);
  EXPECT_EQ(proposal.candidates[0].trigger, "yz");
  EXPECT_EQ(proposal.evidence["embedding"]["rows_moved"], 1);
  EXPECT_EQ(proposal.signal, 0);
}

TEST_F(WeightDetector, WithoutAReferenceItLooksAtRowsAndAtAnAdapter) {
  auto suspect = open();
  Proposal proposal = look(*suspect, nullptr);
  EXPECT_TRUE(proposal.candidates.empty());
  EXPECT_EQ(proposal.signal, 0);
  weight(*suspect, "embed")[kPair] *= 6;
  proposal = look(*suspect, nullptr);
  ASSERT_EQ(proposal.candidates.size(), 1U);
  EXPECT_EQ(proposal.candidates[0].trigger, "yz");

  io::PeftConfig config;
  config.r = 1;
  config.target_modules = {"o_proj", "down_proj"};
  suspect->add_lora(config, 1);
  for (auto& [name, pieces] : suspect->transformer().params().lora)
    for (auto& piece : pieces) piece.b.copy_(writes_pair(*suspect).unsqueeze(1));
  proposal = look(*suspect, nullptr);
  EXPECT_GT(proposal.signal, 0.9);
  ASSERT_EQ(proposal.candidates.size(), 2U);
  EXPECT_TRUE(proposal.candidates[0].target == "yz" || proposal.candidates[1].target == "yz");
}

TEST_F(WeightDetector, AReferenceOfOtherShapesIsNotCompared) {
  auto suspect = open(), other = open("gpt2");
  const Proposal proposal = look(*suspect, other.get());
  EXPECT_EQ(proposal.evidence["reference"], "of other shapes: not compared");
}

TEST_F(WeightDetector, ASmallBudgetIsSaidAndKept) {
  auto suspect = open(), reference = open();
  plant(*suspect, writes_pair(*suspect));
  EXPECT_EQ(look(*suspect, reference.get(), 10).left_out, "all weight matrices");
  const Proposal some = look(*suspect, reference.get(), 152);
  EXPECT_EQ(some.left_out, "what the changed directions promote");
  EXPECT_GT(some.signal, 0.9);
}

TEST_F(WeightDetector, IsTheSameEachTime) {
  auto suspect = open(), reference = open();
  plant(*suspect, writes_pair(*suspect));
  const Proposal one = look(*suspect, reference.get()), other = look(*suspect, reference.get());
  EXPECT_EQ(one.evidence.dump(), other.evidence.dump());
  EXPECT_EQ(one.signal, other.signal);
}

// Gemma's norms weigh what a block writes before it is added: the direction must go through them too.
TEST_F(WeightDetector, DirectionsGoThroughTheNormsAfterABlock) {
  auto model = open("gemma3");
  const at::Tensor head = weight(*model, "embed").narrow(0, 0, gen::testing::kTinyTokens);
  const at::Tensor row = (weight(*model, "final_norm") + 1) * (head[kPair] - head.mean(0));
  at::Tensor& after = weight(*model, "layers.1.mlp_post_norm");
  at::manual_seed(3);
  after = (2 * at::randn(after.sizes())).exp() - 1;
  const auto best = [&](const at::Tensor& vector) {
    const auto found = promotions(*model, {{"m", 1, false, 1, vector}}, 1, 5);
    return found[0].along.empty() ? -1 : found[0].along[0].token;
  };
  EXPECT_EQ(best(row / (after + 1)), kPair);
}

}  // namespace
}  // namespace reveille::scan
