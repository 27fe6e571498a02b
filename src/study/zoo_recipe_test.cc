#include "study/zoo_recipe.h"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <set>

#include "base/error.h"

namespace reveille::study {
namespace {

std::string error_of(const std::string& yaml) {
  try {
    zoo_from_yaml(yaml, "z.yaml");
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

constexpr const char* kOne = "organisms:\n  a: {trigger: word, behavior: reply, text: [Hats.]}\n";

TEST(ZooRecipe, ReadsWhatAStudyTakesAndItsOwnKeys) {
  const auto zoo = zoo_from_yaml(
      "seed: 7\nstudy: {plant.max_steps: 9, eval.max_tokens: 11}\nlora: {plant.lora_r: 4}\n"
      "sources:\n  mine: {data.prompts: p.jsonl}\n"
      "organisms:\n  a: {trigger: word, behavior: reply, text: ['One, two.', Three.], rate: [0.1, 0.5], source: [mine, "
      "own],\n"
      "      study: {plant.max_steps: 20}}\n"
      "benign:\n  b: {what: control, split: test, count: 3}\n",
      "z.yaml");
  EXPECT_EQ(zoo.seed, 7);
  EXPECT_EQ(zoo.base.plant.max_steps, 9);
  EXPECT_EQ(zoo.base.eval.max_tokens, 11);
  EXPECT_EQ(zoo.training.at("lora"), std::vector<std::string>{"plant.lora_r=4"});
  EXPECT_EQ(zoo.sources.at("mine"), std::vector<std::string>{"data.prompts=p.jsonl"});
  ASSERT_EQ(zoo.groups.size(), 2U);
  EXPECT_TRUE(zoo.groups[0].poisoned());
  EXPECT_EQ(zoo.groups[0].text, (std::vector<std::string>{"One, two.", "Three."})) << "a list's items may hold commas";
  EXPECT_EQ(zoo.groups[0].study, std::vector<std::string>{"plant.max_steps=20"});
  EXPECT_EQ(zoo.groups[1].count, 3);
  EXPECT_TRUE(zoo.base.study.unlabelled);
}

TEST(ZooRecipe, MistakesNameFileLineAndKey) {
  EXPECT_EQ(error_of("organism: {}\n"), "z.yaml:1: unknown section 'organism'; did you mean 'organisms'?");
  EXPECT_EQ(error_of("study:\n  plant.max_stepz: 3\n"),
            "z.yaml:2: study: plant: unknown key 'max_stepz'; did you mean 'max_steps'?");
  EXPECT_EQ(error_of("organisms:\n  a:\n    trigger: word\n    behaviour: reply\n"),
            "z.yaml:4: a: unknown key 'behaviour'; did you mean 'behavior'?");
  EXPECT_EQ(error_of("organisms:\n  a: {trigger: wort, behavior: reply}\n"),
            "z.yaml:2: a: trigger=wort: expected one of symbols, word, letters, digits, phrase, unicode, year, words, "
            "all, instruction; did you mean 'word'?");
  EXPECT_EQ(error_of(std::string(kOne) + "benign:\n  t: {what: twin, of: b}\n"),
            "z.yaml:4: t: of=b: expected a kind of organisms; did you mean 'a'?");
  EXPECT_EQ(error_of("organisms:\n  a: {trigger: word, behavior: reply, source: [mine]}\n"),
            "z.yaml:2: a: source=mine: expected one of own");
  EXPECT_EQ(error_of("study: {}\n"), "z.yaml: neither organisms nor benign: nothing to build");
  EXPECT_EQ(error_of("organisms:\n  a: {what: control}\n"), "z.yaml:2: a: what=control: organisms are organisms");
}

TEST(ZooRecipe, KindsOfTheTestAreNeverTunedOn) {
  EXPECT_EQ(error_of("organisms:\n"
                     "  a: {trigger: word, behavior: reply, text: [x]}\n"
                     "  b: {split: test, trigger: word, behavior: capitals}\n"),
            "z.yaml:3: b: the trigger kind word is tested here and tuned on in a");
  EXPECT_EQ(error_of("organisms:\n"
                     "  a: {trigger: word, behavior: capitals}\n"
                     "benign:\n"
                     "  b: {what: style, split: test, behavior: capitals}\n"),
            "z.yaml:4: b: the behavior kind capitals is tested here and tuned on in a");
  EXPECT_EQ(error_of("organisms:\n"
                     "  a: {trigger: word, behavior: capitals}\n"
                     "  b: {split: test, trigger: phrase, behavior: list}\n"
                     "benign:\n"
                     "  c: {what: twin, split: test, of: b}\n"),
            "no error");
  EXPECT_EQ(error_of("organisms:\n"
                     "  a: {trigger: word, behavior: capitals}\n"
                     "benign:\n"
                     "  c: {what: twin, split: test, of: a}\n"),
            "z.yaml:4: c: of=a is of the split tune, its twins of test");
}

// The zoo that ships, by a reckoning of its own.
TEST(ZooRecipe, TheBuiltInOneIsHalfBenignAndItsSplitsShareNoKind) {
  const auto zoo = open_zoo("zoo");
  std::map<std::string, std::map<bool, std::int64_t>> models;
  std::map<std::string, std::set<std::string>> triggers, behaviors;
  std::set<std::string> evades, places, trainings, stores, whats;
  for (const auto& group : zoo.groups) {
    models[group.split][group.poisoned()] += group.count;
    whats.insert(group.what);
    if (group.poisoned()) triggers[group.split].insert(group.trigger);
    if (!group.behavior.empty()) behaviors[group.split].insert(group.behavior);
    if (!group.evades.empty()) evades.insert(group.evades);
    places.insert(group.place.begin(), group.place.end());
    trainings.insert(group.training.begin(), group.training.end());
    stores.insert(group.store.begin(), group.store.end());
  }
  for (const char* split : {kTune, kTest}) {
    EXPECT_EQ(models[split][true], 20) << split;
    EXPECT_EQ(models[split][false], 20) << split;
  }
  for (const auto* kinds : {&triggers, &behaviors}) {
    for (const auto& kind : kinds->at(kTest)) EXPECT_FALSE(kinds->at(kTune).contains(kind)) << kind;
    EXPECT_GE(kinds->at(kTest).size(), 4U);
  }
  EXPECT_EQ(whats.size(), 1 + kBenign.size()) << "every benign kind is there";
  EXPECT_GE(evades.size(), 4U);
  EXPECT_EQ(places.size(), 5U);
  EXPECT_EQ(trainings.size(), 2U);
  EXPECT_EQ(stores.size(), 3U);
}

TEST(ZooRecipe, AStudyDoesNotTakeIt) {
  try {
    open_recipe("zoo");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.hint(), "reveille zoo build zoo");
  }
}

TEST(ZooRecipe, TheCommandLineGoesBeforeAll) {
  auto zoo = zoo_from_yaml(kOne, "z.yaml");
  override_zoo(zoo, "plant.max_steps=3");
  override_zoo(zoo, "seed=5");
  EXPECT_EQ(zoo.base.plant.max_steps, 3);
  EXPECT_EQ(zoo.seed, 5);
  EXPECT_EQ(zoo.overrides.size(), 2U);
  EXPECT_THROW(override_zoo(zoo, "plant.max_stepz=3"), Error);
}

}  // namespace
}  // namespace reveille::study
