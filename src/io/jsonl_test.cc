#include "io/jsonl.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <zlib.h>

#include <csignal>
#include <fstream>

#include "base/error.h"
#include "base/files.h"
#include "io/csv.h"
#include "io/dataset_testing.h"
#include "io/event_log.h"

namespace reveille::io {
namespace {

using data_testing::append_bytes;
using data_testing::error_of;

std::vector<std::pair<std::string, std::size_t>> rows_of(const std::string& text, std::string field = {}) {
  TextSource source(text, "x");
  RowReader reader(source, std::move(field));
  std::vector<std::pair<std::string, std::size_t>> out;
  for (RawRow row; reader.next(row);) out.emplace_back(row.text, row.line);
  return out;
}

using Rows = std::vector<std::pair<std::string, std::size_t>>;

TEST(RowReader, TellsTheLayoutByContent) {
  EXPECT_EQ(rows_of("{\"a\":1}\r\n\n {\"a\":2}"), (Rows{{"{\"a\":1}", 1}, {" {\"a\":2}", 3}}));
  EXPECT_EQ(rows_of(" [\n {\"a\": \"],\\\"\"},\n {\"a\": [2,\n3]} ]\n"),
            (Rows{{"{\"a\": \"],\\\"\"}", 2}, {"{\"a\": [2,\n3]}", 3}}));
  EXPECT_EQ(rows_of("{\n \"data\": [{\"a\": 1}, {\"a\": 2}],\n \"n\": 2\n}"),
            (Rows{{"{\"a\":1}", 1}, {"{\"a\":2}", 1}}));
  EXPECT_EQ(rows_of("{\"x\": [{}], \"y\": [{\"a\": 2}]}", "y"), (Rows{{"{\"a\":2}", 1}}));
  EXPECT_EQ(rows_of("{\n\"messages\": []\n, \"id\": 1}"), (Rows{{"{\"messages\":[],\"id\":1}", 1}}));
  EXPECT_EQ(rows_of("\xEF\xBB\xBF[]"), Rows{});
  EXPECT_EQ(rows_of(""), Rows{});
}

TEST(RowReader, ADamagedArrayIsAnError) {
  EXPECT_EQ(error_of([] { rows_of("[{\"a\": 1},\n {\"a\": "); }), "x:2: the file ends inside a value; was it cut?");
  EXPECT_EQ(error_of([] { rows_of("[{\"a\": 1}\n"); }), "x:2: the JSON array has no end; was the file cut?");
  EXPECT_EQ(error_of([] { rows_of("[1] [2]"); }), "x:1: text after the end of the JSON array");
  EXPECT_EQ(error_of([] { rows_of("{\"x\": 1}", "y"); }), "x: key 'y' is not there or is no list of rows");
}

TEST(ParseRow, NamesFileAndLine) {
  EXPECT_EQ(error_of([] { parse_row({"\"\xFF\"", 7}, "f.jsonl"); }), "f.jsonl:7: not valid UTF-8");
  EXPECT_TRUE(error_of([] { parse_row({"{\"a\": ", 7}, "f.jsonl"); }).starts_with("f.jsonl:7: not valid JSON ("));
}

TEST(TextSource, ReadsGzipByContent) {
  TempFolder folder;
  auto path = folder / "rows.jsonl";  // the name does not say so
  std::string line(1000, 'x');
  gzFile file = gzopen(path.c_str(), "wb");
  for (int i = 0; i < 2000; ++i) gzprintf(file, "\"%s %d\"\n", line.c_str(), i);
  gzclose(file);
  EXPECT_EQ(read_json_rows(path).size(), 2000u);
  EXPECT_EQ(read_json_rows(path).back(), line + " 1999");

  std::string bytes = read_file(path);
  write_file_atomic(path, bytes.substr(0, bytes.size() / 2));
  EXPECT_TRUE(error_of([&] { read_json_rows(path); }).starts_with(path.string() + ": damaged or cut gzip data"));
  write_file_atomic(path, bytes.substr(0, bytes.size() - 4));  // only the check at the end is cut
  EXPECT_TRUE(error_of([&] { read_json_rows(path); }).starts_with(path.string() + ": damaged or cut gzip data"));
}

TEST(TextSource, RefusesWhatIsNoText) {
  auto refusal = [](std::string bytes) { return error_of([&] { TextSource(std::move(bytes), "x"); }); };
  EXPECT_EQ(refusal("PAR1...."), "x is a Parquet file; expected JSON Lines, JSON, CSV or text");
  EXPECT_EQ(refusal(std::string("\xFD\x37zXZ\0", 6)),
            "x is compressed with xz; expected JSON Lines, JSON, CSV or text");
  EXPECT_EQ(refusal("\xFF\xFE{"), "x is text in UTF-16; expected JSON Lines, JSON, CSV or text");
  EXPECT_EQ(error_of([] { TextSource(std::filesystem::path("/nonexistent/x")); }),
            "cannot read /nonexistent/x: No such file or directory");
  EXPECT_EQ(error_of([] { TextSource(std::filesystem::path("/tmp")); }), "/tmp is a folder, expected a file");
}

TEST(Csv, ReadsQuotedFields) {
  TextSource source("goal,target\r\n\"a, \"\"b\"\"\",c\r\n\n\"two\nlines\",\n", "x.csv");
  CsvReader reader(source);
  Json row;
  std::size_t line = 0;
  ASSERT_TRUE(reader.next(row, line));
  EXPECT_EQ(row.dump(), R"({"goal":"a, \"b\"","target":"c"})");
  EXPECT_EQ(line, 2u);
  ASSERT_TRUE(reader.next(row, line));
  EXPECT_EQ(row.dump(), R"({"goal":"two\nlines","target":""})");
  EXPECT_EQ(line, 4u);
  EXPECT_FALSE(reader.next(row, line));
}

TEST(Csv, NamesWhatIsWrong) {
  auto read = [](std::string text) {
    return error_of([&] {
      TextSource source(std::move(text), "x.csv");
      CsvReader reader(source);
      Json row;
      for (std::size_t line = 0; reader.next(row, line);) {
      }
    });
  };
  EXPECT_EQ(read(""), "x.csv is empty; expected a CSV header");
  EXPECT_EQ(read("a,a\n"), "x.csv:1: the CSV header names column 'a' twice");
  EXPECT_EQ(read("a,b\n1,2\n1,2,3\n"), "x.csv:3: 3 fields, the header has 2");
  EXPECT_EQ(read("a,b\n1,2\n1,\"2\n"), "x.csv:3: a quoted CSV field that starts here has no end");
  EXPECT_EQ(read("a,b\n1,\xFF\n"), "x.csv:2: column 'b' is not valid UTF-8");
}

TEST(JsonlAppender, GoesOnAfterACutLine) {
  TempFolder folder;
  auto path = folder / "deep" / "log.jsonl";
  { JsonlAppender(path, JsonlAppender::Open::resume).append({{"a", 1}}); }
  append_bytes(path, "{\"a\": 2, \"text\": \"cut he");
  EXPECT_EQ(read_json_rows(path, {.drop_cut_last_line = true}).size(), 1u);
  EXPECT_THROW(read_json_rows(path), Error);
  {
    JsonlAppender log(path, JsonlAppender::Open::resume);
    EXPECT_EQ(log.dropped_bytes(), 24u);
    log.append({{"a", 3}});
    log.sync();
  }
  EXPECT_EQ(read_file(path), "{\"a\":1}\n{\"a\":3}\n");
}

TEST(JsonlAppender, KeepsAWholeLineWithoutItsLineFeed) {
  TempFolder folder;
  auto path = folder / "log.jsonl";
  append_bytes(path, "{\"a\": 1}");
  { JsonlAppender(path, JsonlAppender::Open::resume).append({{"a", 2}}); }
  EXPECT_EQ(read_file(path), "{\"a\": 1}\n{\"a\":2}\n");
  append_bytes(path, "12");  // may be a cut 123
  { EXPECT_EQ(JsonlAppender(path, JsonlAppender::Open::resume).dropped_bytes(), 2u); }
  { JsonlAppender(path, JsonlAppender::Open::truncate).append({{"a", 4}}); }
  EXPECT_EQ(read_file(path), "{\"a\":4}\n");
}

TEST(JsonlAppender, AFullDiskLeavesWholeLines) {
  TempFolder folder;
  auto path = folder / "log.jsonl";
  JsonlAppender log(path, JsonlAppender::Open::resume);
  log.append({{"a", 1}});
  // A limit on the size of files stands for the full disk.
  rlimit before;
  getrlimit(RLIMIT_FSIZE, &before);
  auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit small{20, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  std::string message = error_of([&] { log.append({{"a", "longer than what is left"}}); });
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  EXPECT_EQ(message, "cannot write " + path.string() + ": File too large");
  EXPECT_EQ(read_file(path), "{\"a\":1}\n");
}

TEST(WriteJsonl, WritesWholeLines) {
  TempFolder folder;
  write_jsonl(folder / "x.jsonl", {Json{{"b", 1}, {"a", "ü\n"}}, Json{{"bad", "\xFF"}}});
  EXPECT_EQ(read_file(folder / "x.jsonl"), "{\"b\":1,\"a\":\"ü\\n\"}\n{\"bad\":\"\xEF\xBF\xBD\"}\n");
}

TEST(EventLog, WritesAndReads) {
  TempFolder folder;
  auto path = folder / "events.jsonl";
  EXPECT_TRUE(read_events(path).empty());
  { EventLog(path).write("step", {{"name", "plant"}, {"loss", 0.5}}); }
  append_bytes(path, "{\"time\": \"20");
  { EventLog(path).write("done"); }
  auto events = read_events(path);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0]["event"], "step");
  EXPECT_EQ(events[0]["loss"], 0.5);
  EXPECT_EQ(events[1]["event"], "done");
  EXPECT_EQ(events[1]["time"].get<std::string>().size(), std::string("2024-05-01T12:00:00.123Z").size());
  EXPECT_THROW(EventLog(path).write("x", {{"time", 1}}), Error);
}

TEST(EventLog, TimesAreIso) {
  EXPECT_EQ(utc_time(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(utc_time(1714564800.5), "2024-05-01T12:00:00.500Z");
  EXPECT_EQ(utc_time(1714564799.9999), "2024-05-01T12:00:00.000Z");
}

}  // namespace
}  // namespace reveille::io
