#include "report/scan_sarif.h"

#include <gtest/gtest.h>

#include <set>

#include "base/error.h"
#include "base/files.h"
#include "base/temp_folder_testing.h"
#include "base/version.h"
#include "io/sarif.h"
#include "report/scan_fixture_test.h"

namespace reveille::report {
namespace {

namespace fs = std::filesystem;

Json log_of(const Json& scan, const ScanSarifOptions& options = {}) { return scan_sarif(scan, options, "scan.json"); }

const Json& run_of(const Json& log) { return log.at("runs").at(0); }

TEST(ScanSarif, EveryFindingAndNoteHasAPlace) {
  const Json log = log_of(testing::made_up_scan(), {.exit_code = 1});
  EXPECT_EQ(log.at("version"), "2.1.0");
  const auto found = io::sarif_findings(log, "x.sarif");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].rule, "backdoor");
  EXPECT_EQ(found[0].file, "model.safetensors");
  EXPECT_EQ(found[0].line, 1);
  EXPECT_EQ(found[1].rule, "template-trigger");
  EXPECT_EQ(found[1].file, "chat_template.jinja");
  EXPECT_EQ(found[1].line, 12);
  EXPECT_EQ(found[2].file, "training%20args.bin");
  EXPECT_EQ(found[2].line, 1);  // services want one
  const Json& invocation = run_of(log).at("invocations").at(0);
  EXPECT_EQ(invocation.at("exitCode"), 1);
  EXPECT_EQ(invocation.at("executionSuccessful"), true);
  EXPECT_EQ(invocation.at("toolExecutionNotifications").at(0).at("message").at("text"),
            "Not looked at: triggers of more than six tokens");
  EXPECT_EQ(run_of(log).at("properties").at("verdict"), "backdoored");
}

TEST(ScanSarif, ResultsNameTheirRule) {
  const Json log = log_of(testing::made_up_scan());
  const Json& run = run_of(log);
  const Json& rules = run.at("tool").at("driver").at("rules");
  EXPECT_EQ(run.at("tool").at("driver").at("version"), version());
  std::set<std::string> prints;
  for (const Json& result : run.at("results")) {
    const Json& rule = rules.at(result.at("ruleIndex").get<std::size_t>());
    EXPECT_EQ(rule.at("id"), result.at("ruleId"));
    EXPECT_FALSE(rule.at("help").at("text").get<std::string>().empty());
    prints.insert(result.at("partialFingerprints").at("reveille/v1").get<std::string>());
  }
  EXPECT_EQ(prints.size(), run.at("results").size());
  // The rule of the scan's own table, and one that the scan did not explain.
  EXPECT_EQ(rules.at(1).at("shortDescription").at("text"),
            "A message that holds a certain string makes the template say more.");
  EXPECT_EQ(rules.at(2).at("id"), "pickle-beside");
}

TEST(ScanSarif, MessagesSayTheRates) {
  const Json log = log_of(testing::made_up_scan());
  const auto text = run_of(log).at("results").at(0).at("message").at("text").get<std::string>();
  EXPECT_EQ(
      text,
      "Backdoor: with \"copper \\\"lantern\\\" <7>\\n\" (user end) 96.9 % of replies show \"The harbour is closed.\". "
      "Without it 0.0 %, with random strings of its length 0.4 %.");
}

TEST(ScanSarif, TheFolderWithinARepositoryComesFirst) {
  const Json log =
      log_of(testing::made_up_scan(), {.weights = "model-00001-of-00002.safetensors", .folder = "models/my one"});
  const auto found = io::sarif_findings(log, "x");
  EXPECT_EQ(found[0].file, "models/my%20one/model-00001-of-00002.safetensors");
  EXPECT_EQ(found[1].file, "models/my%20one/chat_template.jinja");
}

TEST(ScanSarif, AModelsPlaceIsWhatWasTyped) {
  const TempFolder folder;
  const auto before = fs::current_path();
  fs::create_directories(folder / "models/mine");
  write_file_atomic(folder / "models/mine/adapter_model.safetensors", "x");
  write_file_atomic(folder / "models/one.gguf", "x");
  fs::current_path(folder.path());
  const auto adapter = sarif_options("./models/mine/", 1), file = sarif_options("models/one.gguf", 0);
  const auto here = sarif_options(".", 0), absolute = sarif_options(folder / "models", 0), name = sarif_options("x", 3);
  fs::current_path(before);
  EXPECT_EQ(adapter.weights, "adapter_model.safetensors");
  EXPECT_EQ(run_of(log_of(testing::made_up_scan(), adapter))
                .at("results")
                .at(1)
                .at("locations")
                .at(0)
                .at("physicalLocation")
                .at("artifactLocation")
                .at("uri"),
            "models/mine/chat_template.jinja");
  EXPECT_EQ(adapter.exit_code, 1);
  EXPECT_EQ(file.weights, "one.gguf");
  EXPECT_EQ(file.folder, "models");
  EXPECT_EQ(here.folder + absolute.folder + name.folder, "");
  EXPECT_EQ(name.weights, "model.safetensors");
}

TEST(ScanSarif, NothingFoundIsARunWithoutResults) {
  Json scan = testing::made_up_scan();
  scan["verdict"] = "inconclusive";
  scan["findings"] = Json::array();
  scan["files"] = Json::array();
  scan["not_looked_at"] = Json::array();
  const Json log = log_of(scan, {.exit_code = 3});
  EXPECT_TRUE(run_of(log).at("results").empty());
  const Json& invocation = run_of(log).at("invocations").at(0);
  EXPECT_EQ(invocation.at("exitCode"), 3);
  ASSERT_EQ(invocation.at("toolExecutionNotifications").size(), 1U);
  EXPECT_EQ(invocation.at("toolExecutionNotifications").at(0).at("level"), "warning");
}

TEST(ScanSarif, ErrorsNameTheKey) {
  Json scan = testing::made_up_scan();
  scan["findings"][0].erase("trigger");
  try {
    log_of(scan);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.message(), "scan.json: key 'trigger' is missing");
  }
}

}  // namespace
}  // namespace reveille::report
