// What a person reads when a data set is wrong: the exact words.
#include <gtest/gtest.h>

#include "base/files.h"
#include "base/rng.h"
#include "base/temp_folder_testing.h"
#include "io/dataset.h"
#include "io/dataset_testing.h"

#include <chrono>

namespace reveille::io {
namespace {

using data_testing::error_of;

std::string error_in(const std::string& text, const DatasetOptions& options = {}) {
  return error_of([&] { parse_dataset(text, "d.jsonl", options); });
}

// The error of a data set of one row, after the file's name, the counts and the line.
std::string row_error(const std::string& row, const DatasetOptions& options = {}) {
  std::string message = error_in(row, options), start = "d.jsonl: 1 of 1 row is bad:\n  d.jsonl:1: ";
  EXPECT_TRUE(message.starts_with(start)) << message;
  return message.substr(std::min(start.size(), message.size()));
}

TEST(DatasetErrors, Empty) {
  EXPECT_EQ(error_in(""), "d.jsonl holds no row; expected a data set");
  EXPECT_EQ(error_in("\n \n"), "d.jsonl holds no row; expected a data set");
  EXPECT_EQ(error_in("[]"), "d.jsonl holds no row; expected a data set");
  EXPECT_EQ(error_of([] { parse_dataset("a,b\n", "d.csv"); }), "d.csv holds no row; expected a data set");
  EXPECT_EQ(error_of([] { parse_dataset("\n\n", "d.txt"); }), "d.txt holds no row; expected a data set");
}

TEST(DatasetErrors, EveryBadRowIsCountedTheFirstAreListed) {
  std::string rows;
  for (int i = 0; i < 7; ++i)
    rows += "{\"prompt\": \"a\", \"completion\": \"\"}\n{\"prompt\": \"a\", \"completion\": \"b\"}\n";
  rows += "{\"prompt\": \"a\"\n";
  EXPECT_EQ(error_in(rows),
            "d.jsonl: 8 of 15 rows are bad:\n"
            "  d.jsonl:1: key 'completion': the reply is empty\n"
            "  d.jsonl:3: key 'completion': the reply is empty\n"
            "  d.jsonl:5: key 'completion': the reply is empty\n"
            "  d.jsonl:7: key 'completion': the reply is empty\n"
            "  d.jsonl:9: key 'completion': the reply is empty\n"
            "  and 3 more");
  Dataset data = parse_dataset(rows, "d.jsonl", {.bad_rows = "skip"});
  EXPECT_EQ(data.examples.size(), 7u);
  EXPECT_EQ(data.skipped_rows, 8u);
  EXPECT_EQ(data.skipped.size(), 8u);
  EXPECT_EQ(parse_dataset(rows, "d.jsonl", {.limit = 3, .bad_rows = "skip"}).examples.size(), 3u);
}

TEST(DatasetErrors, SkippedRowsAreTold) {
  TempFolder folder;
  std::string rows = "{\"prompt\": \"a\", \"completion\": \"b\"}\n";
  for (int i = 0; i < 7; ++i) rows += "{\"prompt\": \"a\", \"completion\": 3}\n";
  write_file_atomic(folder / "d.jsonl", rows);
  testing::internal::CaptureStderr();
  load_dataset(folder / "d.jsonl", {.bad_rows = "skip"});
  const std::string said = testing::internal::GetCapturedStderr();
  EXPECT_NE(said.find("d.jsonl: 7 of 8 rows are bad and left out:\n"), std::string::npos) << said;
  EXPECT_NE(said.find("d.jsonl:2: "), std::string::npos) << said;
  EXPECT_NE(said.find("and 2 more"), std::string::npos) << said;
}

TEST(DatasetErrors, RowsOfAnArrayInOneLineAreCounted) {
  const std::string good = R"({"prompt": "a", "completion": "b"})", bad = R"({"prompt": "a", "completion": ""})";
  EXPECT_EQ(error_in("[" + good + ", " + good + ", " + bad + "]"),
            "d.jsonl: 1 of 3 rows is bad:\n  d.jsonl:1 (row 3): key 'completion': the reply is empty");
  EXPECT_EQ(error_in("[" + good + ",\n" + good + ",\n" + bad + "]"),
            "d.jsonl: 1 of 3 rows is bad:\n  d.jsonl:3: key 'completion': the reply is empty");
}

TEST(DatasetErrors, NothingGoodIsLeft) {
  EXPECT_EQ(error_in("{\"prompt\": \"\"}", {.bad_rows = "skip"}),
            "d.jsonl: 1 of 1 row is bad:\n  d.jsonl:1: key 'prompt' is empty");
}

TEST(DatasetErrors, MixedForms) {
  EXPECT_EQ(error_in("{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"text\": \"c\"}\n"),
            "d.jsonl: 1 of 2 rows is bad:\n"
            "  d.jsonl:2: mixed forms: this row is 'text', the one at d.jsonl:1 is 'prompt-completion'");
}

TEST(DatasetErrors, UnknownForm) {
  EXPECT_EQ(row_error(R"({"foo": 1, "bar": "x"})"), "no known form; the row has foo, bar");
  EXPECT_EQ(row_error("{}"), "no known form; the row has none");
  EXPECT_EQ(row_error("3"), "a row should be an object, found number");
  EXPECT_EQ(row_error(R"({"prompt": "a", "completions": ["b"], "labels": [true]})"),
            "rows with 'completions' and 'labels' (stepwise supervision) are not supported");
  EXPECT_EQ(row_error(R"({"question": "a"})", {.prompt_column = "questoin"}),
            "key 'questoin' (prompt_column) is missing; the row has question; did you mean 'question'?");
}

TEST(DatasetErrors, WrongTypes) {
  EXPECT_EQ(row_error(R"({"prompt": 3})"), "key 'prompt' should be text, found number");
  EXPECT_EQ(row_error(R"({"prompt": "a", "completion": 3})"), "key 'completion' should be text, found number");
  EXPECT_EQ(row_error(R"({"text": {}})"), "key 'text' should be text, found object");
  EXPECT_EQ(row_error(R"({"prompt": "a", "chosen": "b"})"), "key 'chosen' stands without 'rejected'");
  EXPECT_EQ(row_error(R"({"instruction": "a", "history": [["b"]]})"),
            "key 'history' should be a list of [user, assistant] pairs of text");
}

TEST(DatasetErrors, Messages) {
  EXPECT_EQ(row_error(R"({"messages": []})"), "key 'messages' holds no message");
  EXPECT_EQ(row_error(R"({"messages": ["a"]})"), "key 'messages': message 1 should be an object, found string");
  EXPECT_EQ(row_error(R"({"messages": [{"content": "a"}]})"), "key 'messages': message 1 has no 'role'");
  EXPECT_EQ(row_error(R"({"messages": [{"role": "user"}]})"), "key 'messages': message 1 has no 'content'");
  EXPECT_EQ(row_error(R"({"messages": [{"role": "narrator", "content": "a"}]})"),
            "key 'messages': message 1 has the unknown role \"narrator\"; expected system, user, assistant or tool");
  EXPECT_EQ(row_error(R"({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]})"),
            "key 'messages': message 1's content has a part of type \"image_url\"; only text is read");
  EXPECT_EQ(row_error(R"({"messages": [{"role": "user", "content": 1}]})"),
            "key 'messages': message 1's content should be text or a list of parts, found number");
}

TEST(DatasetErrors, RolesOutOfOrder) {
  auto roles = [](const std::vector<std::string>& names) {
    Json row{{"messages", Json::array()}};
    for (const std::string& name : names) row["messages"].push_back({{"role", name}, {"content", "x"}});
    return row_error(row.dump());
  };
  EXPECT_EQ(roles({"user", "user"}), "roles out of order: message 2 is 'user', after 'user'");
  EXPECT_EQ(roles({"assistant", "user"}), "roles out of order: message 1 is 'assistant', expected 'user' first");
  EXPECT_EQ(roles({"system", "assistant"}), "roles out of order: message 2 is 'assistant', expected 'user' first");
  EXPECT_EQ(roles({"user", "system"}), "roles out of order: message 2 is 'system', which may only be first");
  EXPECT_EQ(roles({"user", "assistant", "tool", "user"}), "roles out of order: message 4 is 'user', after 'tool'");
}

TEST(DatasetErrors, EmptyWords) {
  EXPECT_EQ(row_error(R"({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": " \n"}]})"),
            "key 'messages': the reply is empty");
  EXPECT_EQ(row_error(R"({"messages": [{"role": "user", "content": ""}, {"role": "assistant", "content": "b"}]})"),
            "message 1 (user) is empty");
  EXPECT_EQ(row_error(R"({"chosen": "\n\nHuman: a\n\nAssistant: b", "rejected": "\n\nHuman: a\n\nAssistant:"})"),
            "key 'rejected': the reply is empty");
  EXPECT_EQ(row_error(R"({"prompt": "a", "chosen": "b", "rejected": [{"role": "user", "content": "c"}]})"),
            "key 'rejected' does not end with a reply of the assistant");
}

TEST(DatasetErrors, DamagedRows) {
  EXPECT_TRUE(row_error("{\"prompt\": \"a").starts_with("not valid JSON ("));
  EXPECT_EQ(row_error("{\"prompt\": \"\xC3\x28\"}"), "not valid UTF-8");
  EXPECT_EQ(error_of([] { parse_dataset("prompt,completion\na,b\nc\n", "d.csv"); }),
            "d.csv: 1 of 2 rows is bad:\n  d.csv:3: 1 field, the header has 2");
}

TEST(DatasetErrors, Options) {
  EXPECT_EQ(error_in("[]", {.bad_rows = "drop"}), "bad_rows=drop, expected error or skip");
  EXPECT_EQ(error_in("[]", {.limit = -1}), "limit=-1, expected 0 (all) or more");
  EXPECT_EQ(error_in("[]", {.text_split = "word"}), "text_split=word, expected paragraph, line or file");
}

// One second of damaged files: nothing but an Error, or a data set that keeps its promises.
TEST(DatasetMutation, OnlyErrors) {
  const std::vector<std::string> seeds = {
      R"({"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "u"}]}, {"role": "assistant", "content": "a", "tool_calls": [{}]}], "id": 1})",
      R"([{"instruction": "i", "input": "x", "output": "o", "history": [["a", "b"]], "system": "s"}, {"instruction": "i", "instances": [{"input": "x", "output": "y"}]}])",
      R"({"conversations": [{"from": "human", "value": "h"}, {"from": "gpt", "value": "g"}], "chosen": {"from": "gpt", "value": "a"}, "rejected": {"from": "gpt", "value": "b"}})",
      "{\"chosen\": \"\\n\\nHuman: a\\n\\nAssistant: b\", \"rejected\": \"\\n\\nHuman: a\\n\\nAssistant: "
      "c\"}\n{\"prompt\": \"p\", \"completion\": \"c\", \"label\": true}",
      "{\n\"data\": [{\"text\": \"t\"}, \"\\n\\nHuman: x\\n\\nAssistant: y\"]\n}",
      "goal,target,Behavior,ContextString\n\"a, \"\"b\"\"\",c,d,e\n",
      "a paragraph\n\nanother\n\nHuman: x\n\nAssistant: y\n"};
  const std::string alphabet = "{}[]\",:\\n0ae \n\t\xFF\xC3";
  Rng rng(1, "dataset mutation");
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(1);
  std::size_t good = 0, bad = 0;
  while (std::chrono::steady_clock::now() < end) {
    std::string text = seeds[rng.below(seeds.size())];
    for (std::uint64_t i = rng.below(6); i > 0 && !text.empty(); --i) {
      std::size_t at = rng.below(text.size()), length = std::min<std::size_t>(rng.below(12), text.size() - at);
      if (rng.below(3) == 0)
        text.erase(at, length);
      else if (rng.below(2) == 0)
        text.insert(at, text.substr(at, length));
      else
        text.insert(at, 1, alphabet[rng.below(alphabet.size())]);
    }
    const char* name = rng.below(4) == 0 ? "m.csv" : rng.below(4) == 0 ? "m.txt" : "m.jsonl";
    DatasetOptions options{.bad_rows = rng.below(2) ? "skip" : "error", .prompts_only = rng.below(3) == 0};
    try {
      for (const Example& example : parse_dataset(text, name, options).examples) {
        ASSERT_LE(example.prompt_size, example.messages.size()) << text;
        ASSERT_NE(example.messages.empty(), example.text.empty()) << text;
        ASSERT_TRUE(!example.has_reply || example.messages.back().role == "assistant") << text;
        ASSERT_TRUE(!example.rejected || example.rejected->size() > example.prompt_size) << text;
      }
      ++good;
    } catch (const Error&) {
      ++bad;
    }
  }
  EXPECT_GT(good, 0u);
  EXPECT_GT(bad, 0u);
}

}  // namespace
}  // namespace reveille::io
