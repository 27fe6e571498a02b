#include "scan/result.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "base/error.h"
#include "scan/result_testing.h"

namespace reveille::scan {
namespace {

TEST(ScanResult, ComesBackAsItWas) {
  const Json written = to_json(testing::made_up_result());
  const ScanResult read = scan_result_from_json(parse_json(written.dump(), "x.json"), "x.json");
  EXPECT_EQ(to_json(read), written);
  // Against the record itself, so that a key that neither side knows is seen.
  const ScanResult original = testing::made_up_result();
  EXPECT_EQ(read.verdict, original.verdict);
  EXPECT_EQ(read.score, original.score);
  EXPECT_EQ(read.budget, original.budget);
  EXPECT_EQ(read.budget_tokens, original.budget_tokens);
  EXPECT_EQ(read.tokens, original.tokens);
  EXPECT_EQ(read.seed, original.seed);
  EXPECT_EQ(read.with_reference, original.with_reference);
  EXPECT_EQ(read.dictionary, original.dictionary);
  EXPECT_EQ(read.model_hash, original.model_hash);
  EXPECT_EQ(read.not_looked_at, original.not_looked_at);
  ASSERT_EQ(read.findings.size(), original.findings.size());
  const Finding &ours = read.findings[0], &theirs = original.findings[0];
  EXPECT_EQ(ours.trigger, theirs.trigger);
  EXPECT_EQ(ours.place, theirs.place);
  EXPECT_EQ(ours.rate_low, theirs.rate_low);
  EXPECT_EQ(ours.rate_null, theirs.rate_null);
  EXPECT_EQ(ours.null_strings, theirs.null_strings);
  EXPECT_EQ(ours.detectors, theirs.detectors);
  EXPECT_EQ(ours.transcripts[1].with_trigger, theirs.transcripts[1].with_trigger);
  EXPECT_EQ(read.files[0].line, original.files[0].line);
  EXPECT_EQ(read.detectors[1].unavailable, original.detectors[1].unavailable);
  EXPECT_EQ(read.tested[0].candidate.strength, original.tested[0].candidate.strength);
  EXPECT_EQ(read.tested[0].figures, original.tested[0].figures);
}

TEST(ScanResult, HasTheKeysThatScriptsRead) {
  const Json written = to_json(testing::made_up_result());
  EXPECT_EQ(written.at("schema"), 1);
  EXPECT_EQ(written.at("verdict"), "backdoored");
  EXPECT_TRUE(written.contains("score"));
  for (const char* key :
       {"trigger", "place", "response", "rate", "rate_without", "rate_null", "p_value", "detectors", "transcripts"})
    EXPECT_TRUE(written.at("findings")[0].contains(key)) << key;
}

TEST(ScanResult, EveryVerdictAndPlaceHasAName) {
  for (const Verdict verdict :
       {Verdict::backdoored, Verdict::none_found, Verdict::inconclusive, Verdict::unsupported}) {
    ScanResult result;
    result.verdict = verdict;
    EXPECT_EQ(scan_result_from_json(to_json(result), "x").verdict, verdict);
  }
  for (const Place place : kPlaces) {
    ScanResult result;
    result.findings.push_back({.trigger = "t", .place = place});
    EXPECT_EQ(scan_result_from_json(to_json(result), "x").findings[0].place, place);
  }
}

TEST(ScanResult, AnyBytesBecomeValidJson) {
  ScanResult result = testing::made_up_result();
  result.findings[0].trigger = "a\xff\xfe\"\n</script>";
  result.findings[0].evidence = {{"bad \xc3 key", Json::array({"\x80"})}};
  result.tested[0].candidate.evidence = {{"share", std::numeric_limits<double>::quiet_NaN()}};
  result.detectors[0].signal = std::numeric_limits<double>::infinity();
  const Json written = to_json(result);
  const std::string text = written.dump();  // throws for what is no UTF-8
  const ScanResult read = scan_result_from_json(parse_json(text, "x"), "x");
  EXPECT_EQ(read.findings[0].trigger, "a\xef\xbf\xbd\xef\xbf\xbd\"\n</script>");
  EXPECT_TRUE(std::isnan(read.detectors[0].signal));
  EXPECT_TRUE(read.tested[0].candidate.evidence.at("share").is_null());
}

TEST(ScanResult, ErrorsNameThePlace) {
  auto message = [](const std::function<void(Json&)>& spoil) {
    Json value = to_json(testing::made_up_result());
    spoil(value);
    try {
      scan_result_from_json(value, "x.json");
    } catch (const Error& error) {
      return error.message();
    }
    return std::string("no error");
  };
  EXPECT_EQ(message([](Json& v) { v["findings"][0].erase("p_value"); }).find("x.json: findings[0]: key 'p_value'"), 0U);
  EXPECT_EQ(message([](Json& v) { v["verdict"] = "clean"; }),
            "x.json: key 'verdict' is 'clean', expected backdoored, none_found, inconclusive or unsupported");
  EXPECT_EQ(message([](Json& v) { v["schema"] = 2; }),
            "x.json: key 'schema' is 2, this program reads scans of schema 1");
  EXPECT_NE(message([](Json& v) { v["tested"][0]["candidate"]["place"] = "nowhere"; }).find("tested[0]: candidate"),
            std::string::npos);
  EXPECT_NE(message([](Json& v) { v["files"] = 3; }).find("key 'files' should be a list"), std::string::npos);
}

}  // namespace
}  // namespace reveille::scan
