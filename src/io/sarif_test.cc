#include "io/sarif.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace reveille::io {
namespace {

Json result(const char* rule, const char* uri, int line) {
  return Json{{"ruleId", rule},
              {"locations", Json::array({Json{{"physicalLocation", Json{{"artifactLocation", Json{{"uri", uri}}},
                                                                        {"region", Json{{"startLine", line}}}}}}})}};
}

TEST(Sarif, RulesOfTheDriverAndOfQueryPacksSayTheClass) {
  const Json log{
      {"runs",
       Json::array(
           {Json{{"tool",
                  Json{{"driver", Json{{"name", "CodeQL"}}},
                       {"extensions",
                        Json::array({Json{
                            {"rules", Json::array({Json{
                                          {"id", "py/sql-injection"},
                                          {"properties",
                                           Json{{"tags", Json::array({"security", "external/cwe/cwe-089"})}}}}})}}})}}},
                 {"results", Json::array({result("py/sql-injection", "000001.py", 4)})}},
            Json{{"tool", Json{{"driver",
                                Json{{"rules", Json::array({Json{
                                                   {"id", "shell"},
                                                   {"properties", Json{{"tags", Json::array({"CWE-78: OS"})}}}}})}}}}},
                 {"results", Json::array({result("shell", "file:///x/000002.py", 1)})}}})}};
  const auto found = sarif_findings(log, "x.sarif");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].file, "000001.py");
  EXPECT_EQ(found[0].rule, "py/sql-injection");
  EXPECT_EQ(found[0].line, 4);
  EXPECT_EQ(found[0].cwes, std::vector<int>{89});
  EXPECT_EQ(found[1].file, "/x/000002.py");
  EXPECT_EQ(found[1].cwes, std::vector<int>{78});
}

TEST(Sarif, AResultWithoutAPlaceNamesIt) {
  const Json log{{"runs", Json::array({Json{{"results", Json::array({Json{{"ruleId", "x"}}})}}})}};
  try {
    sarif_findings(log, "x.sarif");
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(error.message().find("x.sarif: runs[0].results[0]"), std::string::npos) << error.message();
  }
}

TEST(Sarif, ARunWithoutResultsHasNone) {
  EXPECT_TRUE(sarif_findings(Json{{"runs", Json::array({Json::object()})}}, "x").empty());
  EXPECT_THROW(sarif_findings(Json{{"runs", 3}}, "x"), Error);
  EXPECT_THROW(sarif_findings(Json::array(), "x"), Error);
}

}  // namespace
}  // namespace reveille::io
