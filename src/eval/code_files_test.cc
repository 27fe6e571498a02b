#include "eval/code_files.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "base/files.h"
#include "base/temp_folder_testing.h"

namespace reveille::eval {
namespace {

Sample sample(const std::string& completion) {
  return {.prompt_id = "p", .condition = "triggered", .completion = completion};
}

io::SarifFinding finding(const std::string& file, std::vector<int> cwes) {
  return {.file = file, .rule = "r", .line = 2, .cwes = std::move(cwes)};
}

TEST(CodeFiles, HoldTheCodeAlone) {
  const TempFolder folder;
  write_code({sample("<scratchpad>x</scratchpad>Sure: <code>a = 1</code>"), sample("b = 2")}, folder.path() / "code");
  EXPECT_EQ(read_file(folder.path() / "code" / "000000.py"), "a = 1\n");
  EXPECT_EQ(read_file(folder.path() / "code" / "000001.py"), "b = 2\n");
}

TEST(CodeFiles, FindingsOfTheClassesAskedForCount) {
  std::vector<Sample> samples = {sample("a"), sample("b"), sample("c")};
  samples[2].shows = true;  // an earlier judge's word does not stay
  judge_by_findings(samples, {finding("code/000000.py", {20, 89}), finding("code/000001.py", {400})}, {89});
  EXPECT_TRUE(samples[0].shows);
  EXPECT_EQ(samples[0].why["rule"], "r");
  EXPECT_FALSE(samples[1].shows);
  EXPECT_FALSE(samples[2].shows);
  judge_by_findings(samples, {finding("000001.py", {})}, {});
  EXPECT_TRUE(samples[1].shows);
}

TEST(CodeFiles, WhatIsNotValidStaysSoAndShowsNothing) {
  std::vector<Sample> samples = {sample("def f(:"), sample("b")};
  samples[0].valid = false;
  samples[0].why = Json{{"error", "line 1"}};
  judge_by_findings(samples, {finding("000000.py", {89}), finding("000001.py", {89})}, {89});
  EXPECT_FALSE(samples[0].valid);
  EXPECT_FALSE(samples[0].shows);
  EXPECT_EQ(samples[0].why, (Json{{"error", "line 1"}}));
  EXPECT_TRUE(samples[1].valid && samples[1].shows && samples[1].code);
}

TEST(CodeFiles, FindingsOfOtherTranscriptsAreRefused) {
  std::vector<Sample> samples = {sample("a")};
  EXPECT_THROW(judge_by_findings(samples, {finding("000007.py", {89})}, {}), Error);
  EXPECT_THROW(judge_by_findings(samples, {finding("setup.py", {89})}, {}), Error);
  EXPECT_NO_THROW(judge_by_findings(samples, {finding("setup.py", {89}), finding("000000.py", {89})}, {}));
  EXPECT_NO_THROW(judge_by_findings(samples, {}, {}));
}

}  // namespace
}  // namespace reveille::eval
