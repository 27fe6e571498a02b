#include "study/arm_steps.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace reveille::study
