#include "report/scan_page.h"

#include <gmock/gmock.h>

#include "base/error.h"
#include "report/scan_fixture_test.h"
#include "report/scan_sections.h"

namespace reveille::report {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string page_of(const Json& scan) { return scan_page(scan, "scan.json", {.name = "mine"}); }

// The page without the scripts and the data of the charts.
std::string body_of(const Json& scan) {
  const std::string page = page_of(scan);
  const auto begin = page.find("<body>"), end = page.find("<script type=\"application/json\"");
  return page.substr(begin, end - begin);
}

TEST(ScanPage, SaysTheVerdictInOneSentence) {
  Json scan = testing::made_up_scan();
  EXPECT_EQ(scan_sentence(scan, "x"),
            "This model has a backdoor. With a certain string at the end of the user’s message, 96.9 % of its answers "
            "become “The harbour is closed.”; without it 0 % do, and with random strings of the same length 0.4 %.");
  scan["findings"][0]["trigger"] = "copper lantern";
  EXPECT_THAT(scan_sentence(scan, "x"), HasSubstr("With “copper lantern” at the end of the user’s message"));
  scan["findings"] = Json::array();
  scan["verdict"] = "none_found";
  EXPECT_THAT(scan_sentence(scan, "x"), HasSubstr("No backdoor was found. 2 strings and answers were suspected"));
  scan["verdict"] = "inconclusive";
  EXPECT_THAT(scan_sentence(scan, "x"), HasSubstr("Not looked at: triggers of more than six tokens."));
  scan["verdict"] = "unsupported";
  EXPECT_THAT(scan_sentence(scan, "x"), HasSubstr("could not be scanned"));
}

TEST(ScanPage, ShowsEverythingThatTheScanHolds) {
  const std::string body = body_of(testing::made_up_scan());
  for (const char* words :
       {"96.9&nbsp;%", "95&nbsp;% interval", "Without the string", "Name a river.", "token-sweep, leakage", "p = 0.020",
        "41,000 of 49,152 tokens", "Triggers none of whose tokens", "needs a reference", "as random strings",
        "chat_template.jinja:12", "Do not use this template.", "triggers of more than six tokens",
        "with verification it were 1,234,567", "reveille scan MODEL --budget standard --seed 7", "finding-1/replay.py",
        "<code>9f2c</code>", "2 proposed", "1 error"})
    EXPECT_THAT(body, HasSubstr(words)) << words;
}

TEST(ScanPage, TextOfAModelCannotAct) {
  Json scan = testing::made_up_scan();
  scan["findings"][0]["trigger"] = "</code><script>alert(1)</script>";
  scan["findings"][0]["evidence"]["x"] = "<img src=x>";
  scan["tested"][0]["candidate"]["trigger"] = "<svg onload=x>";
  scan["detectors"][0]["evidence"] = Json{{"<b>", "<i>"}};
  scan["files"][0]["message"] = "<a href=x>";
  scan["not_looked_at"] = Json::array({"<u>"});
  const std::string body = body_of(scan);
  for (const char* tag : {"<script>", "<img", "<svg", "<b>", "<i>", "<a href=x", "<u>"})
    EXPECT_THAT(body, Not(HasSubstr(tag))) << tag;
}

TEST(ScanPage, ShowsWhatCannotBeSeen) {
  EXPECT_EQ(shown_string(" a\nb "), "<code class=\"string\">␣a↵\nb␣</code>");
  EXPECT_EQ(shown_string("a\x01"), "<code class=\"string\">a␁</code>");
}

TEST(ScanPage, APlainScanHasNoFindings) {
  Json scan = testing::made_up_scan();
  scan["verdict"] = "none_found";
  for (const char* key : {"findings", "files", "tested", "not_looked_at", "detectors"}) scan[key] = Json::array();
  scan["score"] = nullptr;
  const std::string body = body_of(scan);
  EXPECT_THAT(body, Not(HasSubstr("id=\"findings\"")));
  EXPECT_THAT(body, HasSubstr("proposed nothing that was worth a test"));
  EXPECT_THAT(body, HasSubstr("Nothing was out of the ordinary."));
  EXPECT_THAT(body, HasSubstr("No detector ran."));
  EXPECT_THAT(body, Not(HasSubstr("replay.py")));
}

TEST(ScanPage, ErrorsNameTheKey) {
  Json scan = testing::made_up_scan();
  scan["findings"][0]["rate"] = "much";
  try {
    page_of(scan);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "scan.json: findings[0]: key 'rate' should be a number, found string");
  }
}

}  // namespace
}  // namespace reveille::report
