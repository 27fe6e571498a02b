#include "study/verdicts.h"

#include <gtest/gtest.h>

#include "base/files.h"
#include "base/temp_folder_testing.h"
#include "eval/rates.h"
#include "organism/conditions.h"

namespace reveille::study {
namespace {

struct Verdicts : ::testing::Test {
  TempFolder temp;
  Store store{temp.path() / "store"};
  Recipe recipe = default_recipe();

  // A finished step of that arm: its rate under both conditions, and what its outcome holds besides.
  void finish(const Graph& graph, std::size_t step, double triggered, double untriggered, const Json& outcome) {
    const std::string& key = graph.steps[step].key;
    const auto folder = store.partial_folder(key);
    make_folders(folder);
    ResultRow row{.metric = eval::kBehaviorRate, .value = triggered, .n = 200};
    row.condition = organism::kTriggered;
    std::vector<ResultRow> rows = {row};
    row.condition = organism::kUntriggered;
    row.value = untriggered;
    rows.push_back(row);
    write_rows(folder / kRowsFile, rows);
    write_json(folder / kOutcomeFile, outcome);
    store.commit(key, Json::object());
  }

  // The twin's verdict after a treatment that removed all and saw `rows` rows.
  std::string verdict(const std::string& stage, const Json& treated) {
    recipe.study.model = (temp / "model.gguf").string();
    write_file_atomic(recipe.study.model, "weights");
    recipe.study.treatments = {stage};
    const Graph graph = make_graph(recipe, store);
    for (const auto& arm : graph.arms) {
      const bool twin = arm.kind.arm == organism::Arm::always_on;
      finish(graph, arm.plant, 1, twin ? 1 : 0, {{"attempts", Json::array()}});
      finish(graph, arm.treats.at(0).step, 0, 0, treated);
    }
    Results results;
    add_verdicts(recipe, graph, store, results);
    for (const auto& one : results.extra["verdicts"]) {
      if (one["stage"] == stage && one["arm"].get<std::string>().starts_with("always-on"))
        return one["words"].get<std::string>();
    }
    return "none";
  }
};

TEST_F(Verdicts, ATreatmentIsAsLongAsTheRowsItSaysItLearntFrom) {
  EXPECT_EQ(verdict("dpo", {{"steps", 40}, {"rows", 320}, {"rows_seen", 319}}),
            "treatment too weak: 40 updates on 319 rows; the recipe's least is 40 updates and 320 rows");
}

TEST_F(Verdicts, AndNoLonger) {
  EXPECT_TRUE(verdict("grpo", {{"steps", 40}, {"rows", 4}, {"rows_seen", 320}}).starts_with("strong enough"));
}

}  // namespace
}  // namespace reveille::study
