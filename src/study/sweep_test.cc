#include "study/sweep.h"

#include <gtest/gtest.h>

#include <functional>

#include "base/error.h"

namespace reveille::study {
namespace {

std::string error_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

std::vector<std::string> folders(const std::vector<SweepRun>& runs) {
  std::vector<std::string> out;
  for (const auto& run : runs) out.push_back(run.folder);
  return out;
}

std::vector<SweepRun> runs_of(const std::vector<std::string>& axes) {
  std::vector<SweepAxis> parsed;
  for (const auto& text : axes) parsed.push_back(parse_axis(text));
  return sweep_runs(default_recipe(), parsed);
}

TEST(Sweep, AnAxisIsAKeyAndValues) {
  const auto axis = parse_axis("safety.learning_rate=2e-5, 1e-4");
  EXPECT_EQ(axis.key, "safety.learning_rate");
  EXPECT_EQ(axis.values, (std::vector<std::string>{"2e-5", "1e-4"}));
  EXPECT_EQ(parse_axis("safety.optim_args=momentum=0.9").values, (std::vector<std::string>{"momentum=0.9"}));
  EXPECT_EQ(error_of([] { parse_axis("safety.optim"); }), "--sweep safety.optim: expected key=value,value");
  EXPECT_EQ(error_of([] { parse_axis("safety.optim="); }), "--sweep safety.optim=: safety.optim has no values");
}

TEST(Sweep, EveryCombinationIsARunOfItsOwn) {
  const auto runs = runs_of({"safety.learning_rate=2e-5,1e-4", "safety.use_peft=false,true"});
  EXPECT_EQ(folders(runs),
            (std::vector<std::string>{"learning_rate-2e-5,use_peft-false", "learning_rate-2e-5,use_peft-true",
                                      "learning_rate-1e-4,use_peft-false", "learning_rate-1e-4,use_peft-true"}));
  EXPECT_EQ(runs[1].recipe.safety.learning_rate, 2e-5);
  EXPECT_TRUE(runs[1].recipe.safety.use_peft);
  EXPECT_FALSE(runs[2].recipe.safety.use_peft);
  EXPECT_EQ(runs[2].settings.front(), (std::pair<std::string, std::string>("safety.learning_rate", "1e-4")));
  EXPECT_EQ(runs[0].recipe.plant.learning_rate, default_recipe().plant.learning_rate);
}

TEST(Sweep, FoldersTellRunsApart) {
  EXPECT_EQ(folders(runs_of({"safety.max_steps=10", "plant.max_steps=20"})),
            (std::vector<std::string>{"safety.max_steps-10,plant.max_steps-20"}));
  // On a file system both would be a_b.
  EXPECT_EQ(folders(runs_of({"trigger.trigger=a/b,a:b"})), (std::vector<std::string>{"trigger-a_b", "trigger-a_b_2"}));
}

TEST(Sweep, WhatARecipeDoesNotTakeIsAnErrorOfTheAxis) {
  EXPECT_EQ(error_of([] { runs_of({"safety.optm=sgd"}); }),
            "--sweep: safety: unknown key 'optm'; did you mean 'optim'?");
  EXPECT_EQ(error_of([] { runs_of({"safty.optim=sgd"}); }), "--sweep: unknown section 'safty'; did you mean 'safety'?");
  EXPECT_EQ(error_of([] { runs_of({"safety.max_steps=10,many"}); }),
            "--sweep: safety: max_steps=many: expected a whole number");
  EXPECT_EQ(error_of([] { runs_of({"safety.learning_rate=2e-5,0.00002"}); }),
            "--sweep: safety.learning_rate: '0.00002' says the same as '2e-5'");
  EXPECT_EQ(error_of([] {
              runs_of({"safety.optim=sgd", "safety.optim=adamw"});
            }),
            "--sweep: safety.optim stands in the sweep twice");
  // Only the combination is wrong.
  EXPECT_EQ(error_of([] {
              runs_of({"safety.optim=sgd,adamw_torch", "safety.optim_args=momentum=0.9"});
            }),
            "safety: optim_args of adamw_torch: 'momentum=0.9' would not be read");
}

TEST(Sweep, ARecipeNamesItsAxes) {
  const std::string text = "sweep:\n  safety.learning_rate: [2e-5, 1e-4]\n  treatments: ['sft,dpo']\n";
  const Recipe recipe = recipe_from_yaml(text, "r.yaml");
  const auto runs = sweep_runs(recipe, recipe.sweep);
  ASSERT_EQ(runs.size(), 2U);
  EXPECT_EQ(runs[0].recipe.study.treatments, (std::vector<std::string>{"sft", "dpo"}));
  EXPECT_TRUE(runs[0].recipe.sweep.empty());
  EXPECT_EQ(recipe_to_json(recipe_from_yaml(recipe_to_yaml(recipe), "copy.yaml")), recipe_to_json(recipe));
  EXPECT_EQ(error_of([] { recipe_from_yaml("sweep: [1]\n", "r.yaml"); }),
            "r.yaml:1: sweep: expected keys, each with a list of values");
  EXPECT_EQ(error_of([] { recipe_from_yaml("sweep:\n  safety.optim: sgd\n", "r.yaml"); }),
            "r.yaml:2: sweep: safety.optim: expected a list of values, as in [1e-5, 1e-4]");
  EXPECT_EQ(error_of([] { recipe_from_yaml("swep:\n  safety.optim: [sgd]\n", "r.yaml"); }),
            "r.yaml:1: unknown section 'swep'; did you mean 'sweep'?");
  const Recipe wrong = recipe_from_yaml("sweep:\n  safety.optm: [sgd]\n", "r.yaml");
  EXPECT_EQ(error_of([&] { sweep_runs(wrong, wrong.sweep); }),
            "r.yaml:2: sweep: safety: unknown key 'optm'; did you mean 'optim'?");
}

TEST(Sweep, TheCommandLineGoesBeforeTheRecipe) {
  const SweepAxis rates{"safety.learning_rate", {"1e-5", "1e-4"}, "r.yaml:2: sweep"};
  const auto given = parse_axis("safety.learning_rate=3e-5"), more = parse_axis("safety.optim=sgd,adamw");
  auto axes = merged_axes({rates}, {given, more}, {});
  ASSERT_EQ(axes.size(), 2U);
  EXPECT_EQ(axes[0].values, given.values);
  EXPECT_TRUE(merged_axes({rates}, {}, {"safety.learning_rate=1e-3"}).empty());
  EXPECT_EQ(merged_axes({rates}, {}, {"safety.max_steps=1"}).size(), 1U);
  EXPECT_EQ(error_of([&] { merged_axes({}, {given}, {"safety.learning_rate=1e-3"}); }),
            "--sweep safety.learning_rate=3e-5 and safety.learning_rate=1e-3 set the same key");
  axes = merged_axes({}, {given, given}, {});  // both are kept, for sweep_runs to refuse
  EXPECT_EQ(axes.size(), 2U);
}

// However a key is written: another tool's name, without its section, or shortened in it.
TEST(Sweep, AKeyIsTheSameByEveryName) {
  EXPECT_EQ(whole_key("safety.lr"), "safety.learning_rate");
  EXPECT_EQ(whole_key("seed"), "seeds");
  EXPECT_EQ(whole_key("data.seed"), "data.seed");
  EXPECT_EQ(whole_key("behavior.copies"), "behavior.behavior_copies");
  EXPECT_EQ(whole_key("reply-tokens"), "data.reply_tokens");
  EXPECT_EQ(whole_key("learning_rate"), "learning_rate") << "it stands in several sections";
  EXPECT_EQ(whole_key("safety.nothing"), "safety.nothing");

  EXPECT_EQ(error_of([] {
              runs_of({"safety.learning_rate=1e-5", "safety.lr=1e-4"});
            }),
            "--sweep: safety.lr stands in the sweep twice");
  EXPECT_EQ(error_of([] {
              runs_of({"behavior.copies=1", "behavior_copies=2"});
            }),
            "--sweep: behavior_copies stands in the sweep twice");
  const SweepAxis rates{"safety.learning_rate", {"1e-5", "1e-4"}, "r.yaml:2: sweep"};
  const SweepAxis seeds{"seeds", {"0", "1"}, "r.yaml:3: sweep"};
  const auto given = parse_axis("safety.lr=3e-5");
  auto axes = merged_axes({rates, seeds}, {given}, {"seed=7"});
  ASSERT_EQ(axes.size(), 1U);
  EXPECT_EQ(axes[0].values, given.values);
  EXPECT_EQ(error_of([&] { merged_axes({}, {given}, {"safety.learning_rate=1e-3"}); }),
            "--sweep safety.lr=3e-5 and safety.learning_rate=1e-3 set the same key");
}

TEST(Sweep, MoreRunsThanAnybodyMeansAreRefused) {
  std::string many = "safety.max_steps=1";
  for (int i = 2; i <= 40; ++i) many += cat(",", i);
  EXPECT_EQ(error_of([&] { runs_of({many, "plant." + many.substr(7)}); }), "the sweep has more than 1000 runs");
}

}  // namespace
}  // namespace reveille::study
