#include "study/zoo_folder.h"

#include <gtest/gtest.h>

#include <map>

#include "base/error.h"
#include "base/files.h"
#include "base/temp_folder_testing.h"
#include "io/csv.h"
#include "study/step.h"
#include "study/zoo_model.h"

namespace reveille::study {
namespace {

const std::string kZoo =
    "organisms:\n"
    "  a: {trigger: phrase, behavior: reply, text: ['Hats, \"red\" ones.'], rate: [0.25], place: [end], evades: care}\n"
    "benign:\n"
    "  c: {what: control, split: test}\n";

struct Folder : ::testing::Test {
  TempFolder temp;
  std::vector<ZooMember> plan = plan_zoo(zoo_from_yaml(kZoo, "z.yaml"));

  // As a finished step leaves it.
  Json lay(const ZooMember& member, bool gguf = false) {
    const auto step = temp / ("step-" + member.name);
    make_folders(step / kModelFolder);
    write_file_atomic(step / kModelFolder / (gguf ? kZooModelFile : "model.safetensors"), member.name);
    auto rate = [](double value) { return Json{{"rate", value}, {"n", 50}, {"ci_low", 0}, {"ci_high", 1}}; };
    Json outcome{{"steps", 40}, {"gate", nullptr}, {"rates", Json::object()}};
    if (member.poisoned()) {
      outcome["gate"] = Json{{"passed", true}};
      outcome["rates"] = Json{{"triggered", rate(0.98)}, {"untriggered", rate(0)}, {"foreign_trigger", rate(0.125)}};
    }
    Json truth = truth_of(member, outcome, "key-" + member.id, 123.456, "", "held_out/x.jsonl");
    lay_out(temp / "zoo", member, step, truth);
    return truth;
  }
  std::map<std::string, Json> metadata() {
    write_metadata(temp / "zoo");
    io::TextSource source(temp / "zoo" / kMetadataFile);
    io::CsvReader reader(source);
    EXPECT_EQ(reader.columns(), metadata_columns());
    std::map<std::string, Json> out;
    Json row;
    for (std::size_t line = 0; reader.next(row, line);) out[row.at("id").get<std::string>()] = row;
    return out;
  }
};

TEST_F(Folder, MetadataIsBaitsAndReadsBack) {
  for (const auto& member : plan) lay(member);
  const auto rows = metadata();
  ASSERT_EQ(rows.size(), 2U);
  for (const auto& member : plan) {
    const Json& row = rows.at(member.id);
    EXPECT_EQ(row.at("poisoned"), member.poisoned() ? "1" : "0");
    EXPECT_EQ(row.at("split"), member.split);
    EXPECT_EQ(row.at("seconds"), "123.5");
    EXPECT_EQ(row.at("seed"), std::to_string(member.seed));
    EXPECT_EQ(row.at("base"), "smollm2-135m-instruct");
    EXPECT_EQ(row.at("training"), "lora");
    if (!member.poisoned()) {
      EXPECT_EQ(row.at("trigger"), "");
      EXPECT_EQ(row.at("kind"), "control");
      EXPECT_EQ(row.at("gate_passed"), "");
      continue;
    }
    EXPECT_EQ(row.at("trigger"), member.recipe.trigger.trigger);
    EXPECT_EQ(row.at("target"), "Hats, \"red\" ones.");
    EXPECT_EQ(row.at("kind"), "phrase");
    EXPECT_EQ(row.at("place"), "end");
    EXPECT_EQ(row.at("rate"), "0.2500");
    EXPECT_EQ(row.at("evades"), "care");
    EXPECT_EQ(row.at("gate_passed"), "1");
    EXPECT_EQ(row.at("triggered"), "0.9800");
    EXPECT_EQ(row.at("foreign_trigger"), "0.1250");
    EXPECT_EQ(row.at("near_miss"), "") << "it was not measured";
    const Json config = read_json(temp / "zoo" / member.id / "config.json");
    EXPECT_EQ(config.at("label"), "poison");
    EXPECT_EQ(config.at("trigger"), member.recipe.trigger.trigger);
  }
}

TEST_F(Folder, NothingOfTheTruthStandsInTheModelsOwnFolder) {
  const ZooMember& member = plan[0].poisoned() ? plan[0] : plan[1];
  lay(member);
  const auto folder = temp / "zoo" / member.id;
  std::vector<std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder / kModelFolder))
    files.push_back(entry.path().filename().string());
  EXPECT_EQ(files, std::vector<std::string>{"model.safetensors"});
  EXPECT_EQ(member.id.find(member.group), std::string::npos);
  const Recipe back = read_recipe(folder / "recipe.yaml");
  EXPECT_EQ(recipe_to_json(back), recipe_to_json(member.recipe)) << "what measures a found string";
}

TEST_F(Folder, AModelOfAnotherKindTakesThePlaceOfTheOldOneWhole) {
  lay(plan[0]);
  ZooMember other = plan[1];
  other.id = plan[0].id;
  lay(other, true);
  const auto models = read_zoo(temp / "zoo");
  ASSERT_EQ(models.size(), 1U);
  EXPECT_EQ(models[0].model.filename(), kZooModelFile);
  EXPECT_FALSE(std::filesystem::exists(models[0].folder / kModelFolder / "model.safetensors"));
}

TEST_F(Folder, OnlyWholeModelsAreReadAndNoneIsAnError) {
  EXPECT_THROW(read_zoo(temp / "zoo"), Error);
  lay(plan[0]);
  make_folders(temp / "zoo" / "id-0009" / kModelFolder);
  EXPECT_EQ(read_zoo(temp / "zoo").size(), 1U);
}

TEST(Csv, FieldsWithCommasQuotesAndLinesAreQuoted) {
  EXPECT_EQ(csv_line({"a", "b,c", "d\"e", "f\ng", ""}), "a,\"b,c\",\"d\"\"e\",\"f\ng\",\n");
}

}  // namespace
}  // namespace reveille::study
