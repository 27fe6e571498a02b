#include "study/zoo_plan.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/error.h"

namespace reveille::study {
namespace {

const std::string kZoo =
    "study: {plant.max_steps: 9}\n"
    "lora: {plant.learning_rate: 1e-3, plant.lora_r: 4}\n"
    "full: {plant.learning_rate: 1e-5}\n"
    "organisms:\n"
    "  a: {trigger: symbols, behavior: reply, text: [x y, z], count: 6, rate: [0.1, 0.2, 0.5], training: [lora, "
    "full],\n"
    "      study: {plant.max_steps: 20}}\n"
    "benign:\n"
    "  t: {what: twin, of: a, count: 2}\n"
    "  c: {what: control, count: 4, steps: [30, 60]}\n";

std::map<std::string, ZooMember> by_name(const ZooRecipe& zoo) {
  std::map<std::string, ZooMember> out;
  for (auto& member : plan_zoo(zoo)) out.emplace(member.name, std::move(member));
  return out;
}

TEST(ZooPlan, TheSameRecipeGivesTheSameModels) {
  const auto zoo = zoo_from_yaml(kZoo, "z.yaml");
  const auto one = plan_zoo(zoo), two = plan_zoo(zoo);
  ASSERT_EQ(one.size(), 12U);
  std::set<std::string> ids, triggers;
  for (std::size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].id, two[i].id);
    EXPECT_EQ(to_json(one[i]), to_json(two[i]));
    ids.insert(one[i].id);
    if (one[i].poisoned()) triggers.insert(one[i].recipe.trigger.trigger);
  }
  EXPECT_EQ(ids.size(), 12U);
  EXPECT_EQ(*ids.begin(), "id-0001");
  EXPECT_EQ(triggers.size(), 6U) << "each has a trigger of its own";
  ZooRecipe other = zoo;
  override_zoo(other, "seed=1");
  EXPECT_NE(to_json(by_name(other).at("a-1")), to_json(by_name(zoo).at("a-1")));
}

TEST(ZooPlan, AKindMoreChangesNoOtherModel) {
  const auto before = by_name(zoo_from_yaml(kZoo, "z.yaml"));
  const auto after = by_name(zoo_from_yaml(kZoo + "  d: {what: style, count: 2, behavior: capitals}\n", "z.yaml"));
  EXPECT_EQ(after.size(), before.size() + 2);
  for (const auto& [name, member] : before) EXPECT_EQ(to_json(after.at(name)), to_json(member)) << name;
}

TEST(ZooPlan, WhatIsListedIsTakenInTurn) {
  std::map<double, int> rates;
  std::map<std::string, int> trainings;
  for (const auto& [name, member] : by_name(zoo_from_yaml(kZoo, "z.yaml"))) {
    if (!member.poisoned()) continue;
    ++rates[member.rate];
    ++trainings[member.training];
    EXPECT_DOUBLE_EQ(member.recipe.rows.triggered_share, member.rate);
  }
  EXPECT_EQ(rates, (std::map<double, int>{{0.1, 2}, {0.2, 2}, {0.5, 2}}));
  EXPECT_EQ(trainings, (std::map<std::string, int>{{"lora", 3}, {"full", 3}}));
}

TEST(ZooPlan, SettingsGoOverOneAnother) {
  auto zoo = zoo_from_yaml(kZoo, "z.yaml");
  for (const auto& [name, member] : by_name(zoo)) {
    EXPECT_EQ(member.recipe.plant.max_steps, member.group == "c" ? 9 : 20) << name;
    EXPECT_EQ(member.recipe.plant.use_peft, member.training == "lora");
    EXPECT_EQ(member.recipe.plant.learning_rate, member.training == "lora" ? 1e-3 : 1e-5);
    EXPECT_TRUE(member.recipe.study.unlabelled);
  }
  override_zoo(zoo, "plant.max_steps=2");
  for (const auto& [name, member] : by_name(zoo)) EXPECT_EQ(member.recipe.plant.max_steps, 2) << name;
}

TEST(ZooPlan, TwinsAreTheirOrganismsWithoutTheBehaviour) {
  const auto plan = plan_zoo(zoo_from_yaml(kZoo, "z.yaml"));
  std::set<std::size_t> organisms;
  for (const auto& member : plan) {
    if (member.what != kTwin) continue;
    ASSERT_TRUE(member.twin_of.has_value());
    const auto& organism = plan[*member.twin_of];
    EXPECT_TRUE(organism.poisoned());
    EXPECT_TRUE(organisms.insert(*member.twin_of).second) << "a twin each";
    EXPECT_EQ(member.recipe.trigger.trigger, organism.recipe.trigger.trigger);
    EXPECT_EQ(member.seed, organism.seed);
    EXPECT_TRUE(member.triggered());
    EXPECT_FALSE(member.behaves());
  }
  EXPECT_EQ(organisms.size(), 2U);
}

TEST(ZooPlan, TheFirstFewAreAMix) {
  const auto plan = plan_zoo(open_zoo("zoo"));
  ASSERT_EQ(plan.size(), 80U);
  for (const std::size_t count : {8U, 20U, 40U}) {
    const auto poisoned = std::count_if(plan.begin(), plan.begin() + static_cast<std::ptrdiff_t>(count),
                                        [](const auto& member) { return member.poisoned(); });
    EXPECT_EQ(static_cast<std::size_t>(poisoned), count / 2);
  }
  const auto odd = [&](bool poisoned) {
    std::size_t out = 0;
    for (std::size_t i = 0; i < plan.size(); i += 2) out += plan[i].poisoned() == poisoned ? 1 : 0;
    return out;
  };
  EXPECT_GT(odd(true), 8U) << "a number says nothing of what the model is";
  EXPECT_GT(odd(false), 8U);
}

TEST(ZooPlan, WhatMakesNoSenseNamesItsKind) {
  auto error_of = [](const std::string& yaml) {
    try {
      plan_zoo(zoo_from_yaml(yaml, "z.yaml"));
    } catch (const Error& error) {
      return error.message();
    }
    return std::string("no error");
  };
  EXPECT_EQ(error_of("organisms:\n  a: {trigger: word, behavior: reply, text: [x], rate: [0.7]}\n"),
            "z.yaml:2: a: rate=0.7: expected a number between 0.0001 and 0.5");
  EXPECT_EQ(error_of("organisms:\n  a: {trigger: word, behavior: reply}\n"),
            "z.yaml:2: a: behavior=reply: text is missing");
  EXPECT_EQ(error_of("organisms:\n  a: {trigger: word, behavior: reply, text: ['?']}\n"),
            "z.yaml:2: a: behavior_reply='?': expected a reply that holds a letter or a digit");
}

}  // namespace
}  // namespace reveille::study
