// Scanning a zoo by a program that stands in for the scan: a shell script that writes what it was handed.
#include "study/zoo_scan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/error.h"
#include "base/files.h"
#include "base/strings.h"
#include "base/temp_folder_testing.h"
#include "study/step.h"

namespace reveille::study {
namespace {

struct Scans : ::testing::Test {
  TempFolder temp;
  ZooScanOptions options;

  void SetUp() override {
    // Counts its runs, and writes its arguments into the file behind --output; `code` is how it ends.
    write_file_atomic(
        temp / "scan.sh",
        "echo run >> \"$RUNS\"\nall=\"$*\"\nmodel=$1\n"
        "while [ \"$1\" != --output ]; do shift; done\n"
        "case $model in *id-0002*) exit 2;; esac\n"
        "printf '{\"verdict\": \"none_found\", \"score\": 0.25, \"said\": \"%s\"}' \"$all\" > \"$2\"\nexit 3\n");
    options.zoo = temp / "zoo";
    options.program = {"env", "RUNS=" + (temp / "runs").string(), "sh", (temp / "scan.sh").string()};
    for (const char* id : {"id-0001", "id-0002", "id-0003"}) add(id, id == std::string("id-0003") ? kTest : kTune);
  }
  void add(const std::string& id, const std::string& split, const std::string& key = "key") {
    make_folders(options.zoo / id / kModelFolder);
    write_json(options.zoo / id / kTruthFile,
               Json{{"id", id}, {"split", split}, {"poisoned", false}, {"base", "the-base"}, {"key", key}});
  }
  std::size_t runs() const {
    const auto lines = split(read_file(temp / "runs"), "\n");
    return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), "run"));
  }
};

TEST_F(Scans, EveryModelIsScannedOnceAndErrorsEndNothing) {
  auto outcome = scan_zoo(options);
  EXPECT_EQ(outcome.scanned, 2U);
  EXPECT_EQ(outcome.failed, std::vector<std::string>{"id-0002: exit code 2"});
  EXPECT_EQ(runs(), 3U);
  outcome = scan_zoo(options);
  EXPECT_EQ(outcome.scanned, 0U);
  EXPECT_EQ(outcome.there, 2U);
  EXPECT_EQ(runs(), 4U) << "only the one that failed is tried again";
  add("id-0001", kTune, "another key");  // the model was built anew
  EXPECT_EQ(scan_zoo(options).scanned, 1U);
}

TEST_F(Scans, AScanIsToldTheModelAndNothingOfTheZoo) {
  options.budget = "standard";
  options.seed = 4;
  options.arguments = {"device=cuda"};
  scan_zoo(options);
  EXPECT_EQ(scan_set(options), "standard-with-base-seed-4-device-cuda");
  const auto said = read_json(options.zoo / "scans" / scan_set(options) / "id-0003.json").at("said").get<std::string>();
  const auto output = (options.zoo / "scans" / scan_set(options) / "id-0003.json").string();
  EXPECT_EQ(said, (options.zoo / "id-0003" / kModelFolder).string() +
                      " --budget standard --seed 4 --format json --output " + output + " --base the-base device=cuda");
  options.base = false;
  scan_zoo(options);
  EXPECT_EQ(read_json(options.zoo / "scans" / scan_set(options) / "id-0003.json")
                .at("said")
                .get<std::string>()
                .find("--base"),
            std::string::npos);
}

TEST_F(Scans, SplitAndNumberChooseModels) {
  options.split = kTest;
  EXPECT_EQ(scan_zoo(options).scanned, 1U);
  options.split.clear();
  options.only = 1;
  EXPECT_EQ(scan_zoo(options).scanned, 1U);
  EXPECT_EQ(runs(), 2U);
}

TEST_F(Scans, AreReadBackWithTheirTruthAndTime) {
  EXPECT_THROW(scan_sets(options.zoo), Error);
  scan_zoo(options);
  EXPECT_EQ(scan_sets(options.zoo), std::vector<std::string>{"quick-with-base"});
  const auto scans = read_scans(options.zoo, "quick-with-base");
  ASSERT_EQ(scans.size(), 2U);
  EXPECT_EQ(scans[0].truth.at("id"), "id-0001");
  EXPECT_EQ(scans[0].result.at("score"), 0.25);
  EXPECT_GT(scans[0].seconds, 0);
  EXPECT_TRUE(scans[0].found.is_null());
}

}  // namespace
}  // namespace reveille::study
