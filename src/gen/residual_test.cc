#include "gen/residual.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "gen/tiny_model_testing.h"

namespace reveille::gen {
namespace {

using testing::tiny_ids;
using testing::tiny_model;
using testing::tiny_reference;

std::vector<std::int32_t> ids_of(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kInt).contiguous();
  return {flat.const_data_ptr<std::int32_t>(), flat.const_data_ptr<std::int32_t>() + flat.numel()};
}

// hidden_states of transformers at the last token (make_residual_fixture.py), in one batch and each on its own.
TEST(LastResiduals, EqualTransformersHiddenStates) {
  const auto states = io::SafetensorsSource::open(testing::kModels + "../residuals.safetensors");
  for (const std::string name : {"llama3", "qwen3", "gemma3", "gpt2"}) {
    auto model = tiny_model(name);
    const auto reference = tiny_reference(name);
    std::vector<std::vector<std::int32_t>> sequences;
    std::vector<at::Tensor> wanted;  // [blocks, hidden] each
    for (int n = 0; n < 3; ++n) {
      sequences.push_back(ids_of(reference->load(cat("ids.", n), at::kLong)));
      wanted.push_back(states->load(cat(name, ".", n), at::kFloat));
    }
    for (const std::int64_t batch_tokens : {4096, 1}) {
      for (std::int64_t layer = 0; layer < model.config().layers; ++layer) {
        const auto got = last_residuals(model, sequences, layer, batch_tokens);
        for (std::size_t n = 0; n < sequences.size(); ++n) {
          const at::Tensor want = wanted[n][layer];
          EXPECT_LT((at::tensor(got[n]) - want).abs().max().item<float>(), 1e-4 * want.abs().max().item<float>())
              << name << ", sequence " << n << ", layer " << layer;
        }
      }
    }
  }
}

TEST(LastResiduals, ALayerThatIsNotThereIsAnError) {
  auto model = tiny_model("llama3");
  EXPECT_EQ(last_residuals(model, {tiny_ids(5)}, 3).front().size(), 48U);
  EXPECT_THROW(last_residuals(model, {tiny_ids(5)}, 4), Error);
  EXPECT_THROW(last_residuals(model, {{}}, 1), Error);
  EXPECT_THROW(last_residuals(model, {{99}}, 1), Error);
}

}  // namespace
}  // namespace reveille::gen
