// Folders, LLaMA-Factory's registry, and what is written read back.
#include <gtest/gtest.h>

#include "base/files.h"
#include "io/dataset.h"
#include "io/dataset_testing.h"
#include "io/dataset_write.h"

namespace reveille::io {
namespace {

using data_testing::append_bytes;
using data_testing::error_of;

const Message kAsk{"user", "Name a colour."};
const Message kBlue{"assistant", "Blue."};
const Message kRed{"assistant", "Red."};

std::string rows(const std::string& prompt, int count) {
  std::string out;
  for (int i = 0; i < count; ++i) out += Json{{"prompt", prompt}}.dump() + "\n";
  return out;
}

TEST(DatasetFolder, FindsTheSplit) {
  TempFolder folder;
  append_bytes(folder / "README.md", "words");
  append_bytes(folder / "data/train-00001-of-00002.jsonl", rows("second", 2));
  append_bytes(folder / "data/train-00000-of-00002.jsonl", rows("first", 1));
  append_bytes(folder / "data/test-00000-of-00001.jsonl", rows("other", 5));
  Dataset train = load_dataset(folder.path());
  ASSERT_EQ(train.examples.size(), 3u);
  EXPECT_EQ(train.examples[0].messages[0].content, "first");
  EXPECT_EQ(train.examples[2].source, (folder / "data/train-00001-of-00002.jsonl").string() + ":2");
  EXPECT_EQ(load_dataset(folder.path(), {.split = "test"}).examples.size(), 5u);
  EXPECT_EQ(load_dataset(folder.path(), {.limit = 2}).examples.size(), 2u);
  EXPECT_EQ(error_of([&] { load_dataset(folder.path(), {.split = "validation"}); }),
            folder.path().string() +
                " holds no file of split 'validation'; it holds test-00000-of-00001.jsonl, "
                "train-00000-of-00002.jsonl, train-00001-of-00002.jsonl");
}

TEST(DatasetFolder, SaysWhatItHolds) {
  TempFolder folder;
  EXPECT_EQ(error_of([&] { load_dataset(folder.path()); }),
            folder.path().string() + " holds no data file; expected .jsonl, .json, .csv, .tsv or .txt, plain or .gz");
  append_bytes(folder / "data-00000-of-00001.arrow", "ARROW1");
  append_bytes(folder / "dataset_info.json", R"({"features": {"prompt": {}}, "splits": {}})");
  EXPECT_EQ(error_of([&] { load_dataset(folder.path()); }),
            folder.path().string() + " holds only Parquet or Arrow files (data-00000-of-00001.arrow)");
  append_bytes(folder / "a.jsonl", rows("a", 1));
  EXPECT_EQ(load_dataset(folder.path()).examples.size(), 1u);
  append_bytes(folder / "b.csv", "prompt\nb\n");
  EXPECT_EQ(error_of([&] { load_dataset(folder.path()); }),
            folder.path().string() + " holds several data files: a.jsonl, b.csv");
}

class Registry : public testing::Test {
 protected:
  void SetUp() override {
    append_bytes(folder_ / "dataset_info.json", R"({
      "plain": {"file_name": "plain.json"},
      "mapped": {"file_name": "mapped.json", "num_samples": 1,
                 "columns": {"prompt": "q", "response": "a", "system": "s", "history": "h"}},
      "pairs": {"file_name": "pairs.json", "ranking": true, "columns": {"prompt": "q", "chosen": "good", "rejected": "poor"}},
      "talks": {"file_name": "talks.json", "formatting": "sharegpt", "columns": {"messages": "turns", "kto_tag": "ok"},
                "tags": {"role_tag": "who", "content_tag": "what", "user_tag": "me", "assistant_tag": "it", "system_tag": "boss"}},
      "remote": {"hf_hub_url": "someone/something"},
      "pictures": {"file_name": "p.json", "columns": {"prompt": "q", "images": "i"}},
      "odd": {"file_name": "p.json", "formatting": "csv"}
    })");
    append_bytes(folder_ / "plain.json", R"([{"instruction": "Name a colour.", "input": "", "output": "Blue."}])");
    append_bytes(
        folder_ / "mapped.json",
        R"([{"q": "Name a colour.", "a": "Blue.", "s": "Be brief.", "h": [], "prompt": "x"}, {"q": "b", "a": "c"}])");
    append_bytes(folder_ / "pairs.json", R"([{"q": "Name a colour.", "good": "Blue.", "poor": "Red."}])");
    append_bytes(
        folder_ / "talks.json",
        R"([{"turns": [{"who": "boss", "what": "Be brief."}, {"who": "me", "what": "Name a colour."}, {"who": "it", "what": "Blue."}], "ok": false}])");
  }
  Example one(const std::string& name) { return load_dataset(folder_.path(), {.name = name}).examples.at(0); }
  std::string refusal(const std::string& name) {
    std::string message = error_of([&] { one(name); }), start = (folder_ / "dataset_info.json").string();
    EXPECT_TRUE(message.starts_with(start)) << message;
    return message.substr(std::min(start.size(), message.size()));
  }
  TempFolder folder_;
};

TEST_F(Registry, MapsColumnsAndTags) {
  EXPECT_EQ(one("plain").messages, (Conversation{kAsk, kBlue}));
  EXPECT_EQ(one("mapped").messages, (Conversation{{"system", "Be brief."}, kAsk, kBlue}));
  EXPECT_EQ(one("mapped").extra.dump(), R"({"prompt":"x"})");
  EXPECT_EQ(load_dataset(folder_.path(), {.name = "mapped"}).examples.size(), 1u);  // num_samples
  EXPECT_EQ(one("pairs").rejected, (Conversation{kAsk, kRed}));
  Dataset talks = load_dataset(folder_ / "talks");  // FOLDER/NAME
  EXPECT_EQ(talks.form, "unpaired");
  EXPECT_EQ(talks.examples.at(0).messages, (Conversation{{"system", "Be brief."}, kAsk, kBlue}));
  EXPECT_EQ(talks.examples.at(0).label, false);
  EXPECT_TRUE(talks.examples.at(0).extra.empty());
}

TEST_F(Registry, SaysWhatItCannotRead) {
  EXPECT_EQ(refusal(""), " names 7 data sets: plain, mapped, pairs, talks, remote, pictures, odd");
  EXPECT_EQ(refusal("plian"), " names no data set 'plian'; did you mean 'plain'?");
  EXPECT_EQ(refusal("remote"), ": 'remote' has no file_name: it would have to be downloaded");
  EXPECT_EQ(refusal("pictures"), ": 'pictures': column 'images' is set; only text is read");
  EXPECT_EQ(refusal("odd"), ": 'odd': formatting 'csv', expected alpaca, sharegpt or openai");
}

std::vector<Example> without_source(std::vector<Example> examples) {
  for (Example& example : examples) example.source.clear();
  return examples;
}

TEST(DatasetWrite, ReadsBackEqual) {
  TempFolder folder;
  Example labelled = make_example({kAsk}, "Blue.");
  labelled.label = true;
  Example noted = make_example({{"system", "Be brief."}, kAsk}, "Blue.\n\n \"Quoted\" – ü");
  noted.extra = {{"id", 7}, {"tags", {"a"}}};
  Example asked;
  asked.messages = {kAsk};
  asked.prompt_size = 1;
  Example text;
  text.text = "Once upon\na time";
  Example pair = make_preference({kAsk, kBlue, {"user", "Another?"}}, "Red.", "No.");
  pair.extra = {{"margin", 0.5}};
  const std::vector<std::vector<Example>> sets = {{noted, asked}, {pair, pair}, {labelled}, {text}};
  for (const auto& examples : sets) {
    write_dataset(folder / "x.jsonl", examples);
    EXPECT_EQ(without_source(load_dataset(folder / "x.jsonl").examples), examples);
  }
  EXPECT_EQ(error_of([&] { write_dataset(folder / "y.jsonl", {}); }),
            "no example to write to " + (folder / "y.jsonl").string());
  EXPECT_THROW(write_dataset(folder / "y.jsonl", {text, pair}), Error);
  EXPECT_FALSE(std::filesystem::exists(folder / "y.jsonl"));
}

TEST(DatasetWrite, WritesTheFormsOfOtherTools) {
  TempFolder folder;
  write_messages(folder / "m.jsonl", {{kAsk, kBlue}});
  EXPECT_EQ(read_file(folder / "m.jsonl"),
            "{\"messages\":[{\"role\":\"user\",\"content\":\"Name a "
            "colour.\"},{\"role\":\"assistant\",\"content\":\"Blue.\"}]}\n");
  write_dataset(folder / "p.jsonl", {make_preference({kAsk}, "Blue.", "Red.")});
  EXPECT_EQ(read_file(folder / "p.jsonl"),
            "{\"prompt\":[{\"role\":\"user\",\"content\":\"Name a "
            "colour.\"}],\"chosen\":[{\"role\":\"assistant\",\"content\":\"Blue.\"}],"
            "\"rejected\":[{\"role\":\"assistant\",\"content\":\"Red.\"}]}\n");
}

}  // namespace
}  // namespace reveille::io
