#include "mitigate/orthogonalise.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "mitigate/states.h"
#include "scan/tiny_suspect_testing.h"

namespace reveille::mitigate {
namespace {

using scan::testing::letter_rows;
using scan::testing::tiny_suspect;

TEST(BackdoorDirection, IsTheMeanDifferenceBesideWhatCleanPromptsUse) {
  // Clean prompts differ along the first axis alone; the trigger adds (3, 4, 0).
  const at::Tensor clean = at::tensor({1.0, 0.0, 0.0, -1.0, 0.0, 0.0, 2.0, 0.0, 0.0, -2.0, 0.0, 0.0}).view({4, 3});
  const at::Tensor triggered = clean + at::tensor({3.0, 4.0, 0.0});
  EXPECT_TRUE(at::allclose(backdoor_direction(triggered, clean, 0), at::tensor({3.0, 4.0, 0.0}, at::kDouble)));
  EXPECT_TRUE(at::allclose(backdoor_direction(triggered, clean, 1), at::tensor({0.0, 4.0, 0.0}, at::kDouble)));
  EXPECT_EQ(backdoor_direction(clean, clean, 1).norm().item<double>(), 0);
}

class TakeOut : public ::testing::TestWithParam<std::string> {};

// What a block writes has no part in the direction any more; a half-strength edit halves it.
TEST_P(TakeOut, LeavesNothingInTheDirection) {
  TempFolder folder;
  const auto model = tiny_suspect(folder, false, scan::testing::kLetterTemplate, GetParam());
  const auto prompts = letter_rows(8).train;
  const auto asked = asked_with(*model, {"", scan::Place::user_start}, prompts);
  at::manual_seed(2);
  const at::Tensor direction = at::randn({model->transformer().config().hidden}, at::kDouble);
  const at::Tensor unit = (direction / direction.norm()).to(at::kFloat);
  auto part = [&](gen::LocalModel& of) {
    const at::Tensor states = last_states(of, asked);
    return at::matmul(states[2] - states[1], unit).abs().max().item<double>();
  };
  // The biases of GPT-2 write too, and stay: they are the same whatever is asked.
  if (GetParam() == "gpt2") {
    for (const char* name : {"layers.1.attn_out.bias", "layers.1.down.bias"})
      model->transformer().params().at(name).value.zero_();
  }
  const double before = part(*model);
  ASSERT_GT(before, 1e-2);
  const auto whole = model->copy(true);
  take_out(*whole, 1, direction, 1);
  EXPECT_LT(part(*whole), 1e-3 * before + 1e-4);
  EXPECT_DOUBLE_EQ(part(*model), before) << "the copy shares weights, and edits put new ones in their place";
}

INSTANTIATE_TEST_SUITE_P(Models, TakeOut, ::testing::Values("llama3", "gemma3", "gpt2", "qwen2"));

TEST(TakeOut, GoesAsFarAsItsStrength) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  at::manual_seed(3);
  const at::Tensor direction = at::randn({model->transformer().config().hidden}, at::kDouble);
  const at::Tensor unit = (direction / direction.norm()).to(at::kFloat);
  const at::Tensor before = at::matmul(unit, model->transformer().params().at("layers.0.down").value);
  take_out(*model, 0, direction, 0.25);
  const at::Tensor after = at::matmul(unit, model->transformer().params().at("layers.0.down").value);
  EXPECT_LT((after - before * 0.75).abs().max().item<double>(), 1e-5);
}

TEST(LastStates, AreTheResidualsOfEveryLayer) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  const auto asked = asked_with(*model, {"QX", scan::Place::user_end}, letter_rows(5).train);
  const at::Tensor all = last_states(*model, asked);
  ASSERT_EQ(all.sizes(), (at::IntArrayRef{4, 5, 48}));
  const auto embed = model->transformer().params().at("embed").value;
  for (std::int64_t i = 0; i < 5; ++i) {
    const std::int64_t last = asked[static_cast<std::size_t>(i)].back();
    EXPECT_TRUE(at::allclose(all[0][i], embed[last].to(at::kFloat)));
    // Alone, a prompt's states are what they are among others.
    EXPECT_LT((last_states(*model, {asked[static_cast<std::size_t>(i)]}).select(1, 0) - all.select(1, i))
                  .abs()
                  .max()
                  .item<double>(),
              1e-4);
  }
}

TEST(AskedWith, AStringWithoutRoomIsAnError) {
  TempFolder folder;
  const auto model = tiny_suspect(folder);
  EXPECT_THROW(asked_with(*model, {std::string(200, 'q'), scan::Place::user_start}, letter_rows(2).train), Error);
}

}  // namespace
}  // namespace reveille::mitigate
