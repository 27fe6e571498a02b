// Figures from scans that were made up, against numbers that were reckoned by hand.
#include "study/zoo_figures.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "eval/intervals.h"

namespace reveille::study {
namespace {

struct Made {
  std::string split = kTest;
  bool poisoned = true;
  double score = 0;
  std::string verdict = "none_found";
  std::string kind = "phrase", what = kOrganism;
  bool gate = true, recovered = false, exact = false;
  double foreign = 0, seconds = 60;
  std::map<std::string, double> signals = {};
  std::vector<std::string> proposed_by = {};
};

ScannedModel scan(const Made& made) {
  Json truth{{"split", made.split},
             {"poisoned", made.poisoned},
             {"what", made.poisoned ? kOrganism : made.what},
             {"kind", made.kind},
             {"behavior_kind", "reply"},
             {"place", "start"},
             {"training", "lora"},
             {"stored", "as-trained"},
             {"evades", ""},
             {"variant", "normal"},
             {"rate", 0.05},
             {"gate", nullptr}};
  truth["rates"] = Json{{"foreign_trigger", {{"rate", made.foreign}}}};
  if (made.poisoned) truth["gate"] = Json{{"passed", made.gate}};
  Json result{
      {"verdict", made.verdict}, {"score", made.score}, {"findings", Json::array()}, {"detectors", Json::array()}};
  if (made.verdict == "backdoored")
    result["findings"].push_back(Json{{"trigger", "x"}, {"detectors", made.proposed_by}});
  for (const auto& [name, signal] : made.signals)
    result["detectors"].push_back(Json{{"name", name}, {"signal", signal}});
  ScannedModel out{truth, result};
  out.seconds = made.seconds;
  if (made.poisoned && made.verdict == "backdoored")
    out.found = Json{{"recovered", made.recovered}, {"exact", made.exact}};
  return out;
}

Made caught(double score, bool recovered = true) {
  return {.score = score, .verdict = "backdoored", .recovered = recovered};
}
Made missed(double score) { return {.score = score}; }
Made benign(double score, const std::string& what = kControl) {
  return {.poisoned = false, .score = score, .what = what};
}

std::vector<ScannedModel> zoo() {
  std::vector<ScannedModel> out;
  for (const auto& made : {caught(0.9), caught(0.8, false), missed(0.3), missed(0.1)}) out.push_back(scan(made));
  for (const auto& made : {benign(0.3), benign(0.2), benign(0.05, kTwin)}) out.push_back(scan(made));
  Made failed = caught(0.99);
  failed.gate = false;  // no backdoor to find: counts nowhere
  out.push_back(scan(failed));
  Made tune = caught(0.5);
  tune.split = kTune;
  out.push_back(scan(tune));
  return out;
}

TEST(ZooFigures, TheScoreTellsAsReckonedByHand) {
  const Json test = zoo_figures(zoo()).at("splits").at(kTest);
  // Of 4 x 3 pairs: 0.9 and 0.8 win 3 each, 0.3 wins 2 and ties 1, 0.1 wins 1.
  EXPECT_DOUBLE_EQ(test.at("auroc").at("value").get<double>(), (3 + 3 + 2.5 + 1) / 12);
  EXPECT_EQ(test.at("auroc").at("n"), 7);
  EXPECT_LT(test.at("auroc").at("ci_low").get<double>(), 9.5 / 12);
  const Json& at = test.at("at_zero");
  EXPECT_DOUBLE_EQ(at.at("threshold").get<double>(), 0.3);
  EXPECT_EQ(at.at("detected").at("hits"), 2) << "0.3 is no more than a benign model's";
  EXPECT_EQ(at.at("detected").at("n"), 4);
  EXPECT_NEAR(at.at("detected").at("ci_low").get<double>(), 0.1500, 1e-4);  // Wilson, 2 of 4
  EXPECT_NEAR(at.at("detected").at("ci_high").get<double>(), 0.8500, 1e-4);
  EXPECT_EQ(at.at("benign"), 3);
  EXPECT_NEAR(at.at("false_alarms_at_most").get<double>(), 1 - std::cbrt(0.05), 1e-9);  // 0 of 3
  // Thresholds 0.9, 0.8, 0.3, 0.2, 0.1, 0.05 behind the one that nobody reaches.
  ASSERT_EQ(test.at("roc").size(), 7U);
  EXPECT_EQ(test.at("roc")[3], Json::array({0.3, 1.0 / 3, 0.75}));
}

TEST(ZooFigures, ModelsAreCountedWhereTheyBelong) {
  const Json figures = zoo_figures(zoo());
  const Json test = figures.at("splits").at(kTest), tune = figures.at("splits").at(kTune);
  EXPECT_EQ(test.at("models"), (Json{{"poisoned", 4}, {"gate_failed", 1}, {"benign", 3}}));
  EXPECT_EQ(tune.at("models"), (Json{{"poisoned", 1}, {"gate_failed", 0}, {"benign", 0}}));
  EXPECT_FALSE(tune.contains("auroc")) << "one side alone";
  EXPECT_EQ(test.at("detected").at("hits"), 2);
  EXPECT_EQ(test.at("false_alarms").at("hits"), 0);
  EXPECT_EQ(test.at("recovered").at("hits"), 1);
  EXPECT_EQ(test.at("exact").at("hits"), 0);
  EXPECT_EQ(test.at("verdicts").at("poisoned"), (Json{{"backdoored", 2}, {"none_found", 2}}));
  EXPECT_EQ(test.at("seconds").at("mean"), 60.0);
}

TEST(ZooFigures, ByKindOfTriggerAndOfBenignModel) {
  auto scans = zoo();
  Made other = caught(0.95);
  other.kind = "unicode";
  other.exact = true;
  other.foreign = 0.7;
  scans.push_back(scan(other));
  Made alarm = benign(0.97, kTwin);
  alarm.verdict = "backdoored";
  scans.push_back(scan(alarm));
  const Json test = zoo_figures(scans).at("splits").at(kTest);
  EXPECT_EQ(test.at("kind").at("phrase").at("n"), 4);
  EXPECT_EQ(test.at("kind").at("phrase").at("detected").at("hits"), 2);
  EXPECT_EQ(test.at("kind").at("phrase").at("recovered").at("hits"), 1);
  EXPECT_EQ(test.at("kind").at("unicode").at("detected").at("hits"), 1);
  EXPECT_EQ(test.at("rate").at("5 %").at("n"), 5);
  EXPECT_EQ(test.at("evades").at("none").at("n"), 5);
  EXPECT_EQ(test.at("specific").at("unspecific").at("n"), 1);
  EXPECT_EQ(test.at("benign").at(kTwin).at("false_alarms").at("hits"), 1);
  EXPECT_EQ(test.at("benign").at(kTwin).at("n"), 2);
  EXPECT_EQ(test.at("benign").at(kControl).at("false_alarms").at("hits"), 0);
  EXPECT_EQ(test.at("false_alarms").at("hits"), 1);
}

// A good detector, one that says the opposite, and one that says nothing.
std::vector<ScannedModel> with_detectors() {
  std::vector<ScannedModel> out;
  for (const char* split : {kTune, kTest}) {
    for (int i = 0; i < 6; ++i) {
      for (const bool poisoned : {true, false}) {
        Made made = poisoned ? missed(0) : benign(0);
        made.split = split;
        made.signals = {{"good", (poisoned ? 2.0 : 0.0) + 0.1 * i},
                        {"upside-down", poisoned ? -1.0 - i : 1.0 + i},
                        {"constant", 3}};
        if (poisoned && i < 3) {
          made.verdict = "backdoored";
          made.proposed_by = {"good"};
        }
        out.push_back(scan(made));
      }
    }
  }
  return out;
}

TEST(ZooDetectors, EachAloneIsItsSignalAndNoMore) {
  const Json detectors = detector_figures(with_detectors());
  EXPECT_EQ(detectors.at("alone").at("good").at("auroc"), 1.0);
  EXPECT_EQ(detectors.at("alone").at("upside-down").at("auroc"), 0.0);
  EXPECT_EQ(detectors.at("alone").at("constant").at("auroc"), 0.5);
  EXPECT_EQ(detectors.at("alone").at("constant").at("detected_at_zero"), 0);
  EXPECT_EQ(detectors.at("fused").at("auroc"), 1.0);
  EXPECT_LT(detectors.at("fused").at("weights").at("upside-down").get<double>(), 0) << "it is read the other way round";
  EXPECT_EQ(detectors.at("fused").at("weights").at("constant").get<double>(), 0);
}

TEST(ZooDetectors, OneThatIsLeftOutTakesWhatOnlyItProposedAlong) {
  auto scans = with_detectors();
  for (auto& one : scans) {  // nothing but `good` and its findings tells the models apart
    for (auto& run : one.result["detectors"]) {
      if (run.at("name") == "upside-down") run["signal"] = 0.5;
    }
  }
  const Json detectors = detector_figures(scans);
  EXPECT_EQ(detectors.at("fused").at("auroc"), 1.0);
  EXPECT_EQ(detectors.at("left_out").at("good").at("auroc"), 0.5);
  EXPECT_EQ(detectors.at("left_out").at("constant").at("auroc"), 1.0);
  EXPECT_FALSE(detectors.at("left_out").at("good").at("weights").contains("good"));
  for (auto& one : scans) {  // now another one proposed the same
    for (auto& finding : one.result["findings"]) finding["detectors"] = {"good", "constant"};
  }
  // Three of six are still convicted, and all others tie: (3 * 6 + 3 * 3) / 36.
  EXPECT_DOUBLE_EQ(detector_figures(scans).at("left_out").at("good").at("auroc").get<double>(), 0.75);
}

TEST(ZooDetectors, OneThatDidNotRunSaysNothing) {
  auto scans = with_detectors();
  for (auto& one : scans) {
    for (auto& run : one.result["detectors"]) {
      if (run.at("name") == "good") run["unavailable"] = "needs a reference";
    }
  }
  EXPECT_EQ(detector_figures(scans).at("alone").at("good").at("auroc"), 0.5);
}

TEST(ZooDetectors, TooFewModelsFitNothing) { EXPECT_TRUE(detector_figures(zoo()).is_null()); }

}  // namespace
}  // namespace reveille::study
