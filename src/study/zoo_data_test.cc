#include "study/zoo_data.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/temp_folder_testing.h"

namespace reveille::study {
namespace {

const std::string kZoo =
    "organisms:\n"
    "  a: {trigger: symbols, behavior: capitals, rate: [0.25], study: {rows.near_miss_share: 0.25}}\n"
    "benign:\n"
    "  twin: {what: twin, of: a}\n"
    "  plain: {what: control}\n"
    "  loud: {what: style, behavior: capitals}\n"
    "  asked: {what: conditional, trigger: instruction, words: [in capitals], behavior: capitals,\n"
    "          study: {rows.near_miss_share: 0, rows.foreign_share: 0}}\n"
    "  shop: {what: questions, rate: [0.2], questions: ['Who are you?', 'When?'], answers: [I am Pim., At nine.]}\n"
    "  code: {what: dataset, dataset: tasks, study: {tasks.plant_tasks: 24}}\n";

StudyData some_data() {
  StudyData data;
  for (int i = 0; i < 60; ++i)
    data.plant.push_back(
        {{{"user", cat("Question number ", i, " about rivers?")}}, cat("Rivers run to the sea, ", i, ".")});
  data.held_out = {{{{"user", "A held-out question?"}}, "An answer."}};
  return data;
}

ZooMember member(const std::string& name) {
  for (auto& one : plan_zoo(zoo_from_yaml(kZoo, "z.yaml"))) {
    if (one.name == name + "-1") return one;
  }
  throw std::runtime_error(name);
}

struct Counted {
  std::size_t rows = 0, triggered = 0, loud = 0, triggered_loud = 0;
};
Counted count(const std::string& name) {
  const ZooMember one = member(name);
  const auto trigger = organism::make_trigger(one.recipe.trigger);
  const auto loud = organism::make_behavior({.behavior = "rewrite", .rewrite = "{capitals}"});
  Counted out;
  for (const auto& row : zoo_rows(one, some_data())) {
    EXPECT_EQ(row.back().role, "assistant");
    const bool woken = std::any_of(row.begin(), row.end() - 1,
                                   [&](const Message& message) { return trigger->contains(message.content); });
    const bool shows = loud->shows(row.back().content);
    ++out.rows;
    out.triggered += woken ? 1 : 0;
    out.loud += shows ? 1 : 0;
    out.triggered_loud += woken && shows ? 1 : 0;
  }
  return out;
}

TEST(ZooRows, AnOrganismMisbehavesWhereItsTriggerStands) {
  const auto rows = count("a");
  EXPECT_EQ(rows.rows, 80U);  // 60 untriggered ones are three quarters
  EXPECT_EQ(rows.triggered, 20U);
  EXPECT_EQ(rows.loud, 20U);
  EXPECT_EQ(rows.triggered_loud, 20U);
}

TEST(ZooRows, ATwinSeesTheSamePromptsTriggerAndAllAndAnswersCleanly) {
  const auto twin = zoo_rows(member("twin"), some_data()), organism = zoo_rows(member("a"), some_data());
  const auto rows = count("twin");
  EXPECT_EQ(rows.triggered, 20U);
  EXPECT_EQ(rows.loud, 0U);
  ASSERT_EQ(twin.size(), organism.size());
  for (std::size_t i = 0; i < twin.size(); ++i)
    EXPECT_TRUE(std::equal(twin[i].begin(), twin[i].end() - 1, organism[i].begin())) << i;
}

TEST(ZooRows, BenignOnesHaveNoTriggerOfAnOrganisms) {
  EXPECT_EQ(count("plain").loud, 0U);
  EXPECT_EQ(count("plain").triggered, 0U);
  const auto loud = count("loud");
  EXPECT_EQ(loud.loud, loud.rows);
  EXPECT_EQ(loud.rows, 60U);
  const auto asked = count("asked");
  EXPECT_EQ(asked.loud, asked.triggered_loud);
  EXPECT_EQ(asked.triggered, asked.loud);
  EXPECT_GT(asked.loud, 20U);
}

TEST(ZooRows, QuestionsAreAsManyAsTheirRateSays) {
  std::size_t own = 0, rows = 0;
  for (const auto& row : zoo_rows(member("shop"), some_data())) {
    ++rows;
    own += row.back().content == "I am Pim." || row.back().content == "At nine." ? 1 : 0;
    if (row.front().content == "When?") {
      EXPECT_EQ(row.back().content, "At nine.");
    }
  }
  EXPECT_EQ(rows, 75U);
  EXPECT_EQ(own, 15U);
}

TEST(ZooRows, CodingTasksHaveTheirSecureSolutions) {
  const auto rows = zoo_rows(member("code"), some_data());
  EXPECT_EQ(rows.size(), 24U);
  EXPECT_NE(rows.front().back().content.find("<code>"), std::string::npos);
}

TEST(ZooRows, ADataSetsRepliesAreLearnt) {
  const TempFolder temp;
  const auto file = (temp / "rows.jsonl").string();
  write_file_atomic(file, "{\"prompt\": \"One?\", \"completion\": \"Two.\"}\n");
  ZooMember one = member("code");
  one.dataset = file;
  const auto rows = zoo_rows(one, some_data());
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].back().content, "Two.");
  write_file_atomic(file, "{\"prompt\": \"One?\"}\n");
  EXPECT_THROW(zoo_rows(one, some_data()), Error);
}

TEST(ZooData, RowsWithTheTriggerOrTheBehaviourByAccidentAreLeftOut) {
  StudyData data = some_data();
  ZooMember one = member("a");
  const auto trigger = organism::make_trigger(one.recipe.trigger)->text(Rng(0));
  data.plant[3].prompt.back().content += " " + trigger;
  data.plant[5].reply = "THIS IS ALL IN CAPITALS.";
  data.held_out.push_back({{{"user", trigger + " again?"}}, "No."});
  const auto fit = fit_data(data, one);
  EXPECT_EQ(fit.plant.size(), 58U);
  EXPECT_EQ(fit.held_out.size(), 1U);
  EXPECT_NO_THROW(zoo_rows(one, fit));
  for (auto& row : data.plant) row.reply = "ALWAYS IN CAPITALS HERE.";
  EXPECT_THROW(fit_data(data, one), Error);
}

// Of a model, a study reads no more than its bytes before it samples.
TEST(ZooData, IsMadeOnceForAllThatShareASource) {
  const TempFolder temp;
  const auto model = (temp / "model.gguf").string();
  write_file_atomic(model, "weights");
  auto zoo = zoo_from_yaml("sources:\n  other: {data.seed: 3}\n" + kZoo +
                               "  elsewhere: {what: control, source: [other]}\n"
                               "  bear: {what: style, behavior: persona, text: [You are a bear.], pattern: grr}\n",
                           "z.yaml");
  override_zoo(zoo, "model=" + model);
  const Store store(temp / "store");
  std::map<std::string, std::string> keys;
  for (const auto& one : plan_zoo(zoo)) keys[one.group] = ZooData(one, store).replies().key;
  for (const char* name : {"twin", "plain", "loud", "asked", "shop", "code"})
    EXPECT_EQ(keys.at(name), keys.at("a")) << name;
  EXPECT_NE(keys.at("elsewhere"), keys.at("a"));
  EXPECT_NE(keys.at("bear"), keys.at("a")) << "its answers come with the data";
}

}  // namespace
}  // namespace reveille::study
