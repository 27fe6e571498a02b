// Finding the form of a row by its keys (io/dataset_rows.h).
#include <array>

#include "base/error.h"
#include "base/strings.h"
#include "io/dataset_rows.h"
#include "io/dataset_transcript.h"

namespace reveille::io {
namespace {

using Names = std::vector<std::string>;

// In the order in which they are looked for. Which tool or data set writes the rarer ones:
// inst (OpenHermes-DEPLOYMENT), goal (AdvBench), Behavior (HarmBench), test_case_prompt
// (CyberSecEval), query (ARC and PIQA in the evaluation harness's form), context (LAMBADA).
const Names kPrompt = {"prompt",   "instruction",      "inst",  "question", "query", "goal", "Behavior",
                       "behavior", "test_case_prompt", "input", "context"};
const Names kReply = {"completion", "response", "output", "answer", "continuation", "backdoor_response"};

// A key that is null counts as absent: tables that were merged have such cells.
bool has(const Json& row, const std::string& key) {
  auto found = row.find(key);
  return found != row.end() && !found->is_null();
}

std::string first_of(const Json& row, const Names& names) {
  for (const std::string& name : names) {
    if (has(row, name)) return name;
  }
  return {};
}

std::string keys_of(const Json& row) {
  Names keys;
  for (const auto& [key, value] : row.items()) {
    keys.push_back(keys.size() < 20 ? key : "...");
    if (keys.size() > 20) break;
  }
  return keys.empty() ? "none" : join(keys, ", ");
}

// A column named by the user must be there.
std::string column(const Json& row, const std::string& given, const char* option, const Names& usual) {
  if (given.empty()) return first_of(row, usual);
  if (!has(row, given)) {
    Names keys;
    for (const auto& [key, value] : row.items()) keys.push_back(key);
    fail(ErrorKind::bad_input,
         cat("key '", given, "' (", option, ") is missing; the row has ", keys_of(row), did_you_mean(given, keys)));
  }
  return given;
}

bool is_list(const Json& row, const std::string& key) { return has(row, key) && row[key].is_array(); }

std::string context_of(const Json& row, const Columns& columns) {
  if (columns.prompt == "Behavior") return has(row, "ContextString") ? "ContextString" : "";
  if (columns.prompt != "instruction") return {};
  return first_of(row, {"input", "context"});  // Alpaca's and Dolly's
}

void find_prompt(const Json& row, const DatasetOptions& options, Columns& columns) {
  if (!options.messages_column.empty() || options.prompt_column.empty()) {
    columns.messages = column(row, options.messages_column, "messages_column", {});
    for (const char* key : {"messages", "conversations", "conversation"}) {
      if (columns.messages.empty() && is_list(row, key)) columns.messages = key;
    }
  }
  columns.system = column(row, options.system_column, "system_column", {"system", "system_prompt"});
  if (!columns.messages.empty()) return;
  columns.prompt = column(row, options.prompt_column, "prompt_column", kPrompt);
  columns.context = context_of(row, columns);
  columns.context_first = columns.context == "ContextString";
  if (is_list(row, "history")) columns.history = "history";
}

[[noreturn]] void fail_unknown(const Json& row) {
  fail(ErrorKind::bad_input, cat("no known form; the row has ", keys_of(row)),
       "expected messages, conversations, prompt (and completion), instruction (and output), chosen and rejected, "
       "transcript or text; name other columns with prompt_column=, completion_column=, messages_column=, "
       "chosen_column=, rejected_column= or text_column=");
}

bool find_preference(const Json& row, const DatasetOptions& options, RowForm& form) {
  Columns& columns = form.columns;
  columns.chosen = column(row, options.chosen_column, "chosen_column", {"chosen"});
  columns.rejected = column(row, options.rejected_column, "rejected_column", {"rejected"});
  if (columns.chosen.empty() && columns.rejected.empty()) return false;
  if (columns.chosen.empty() || columns.rejected.empty()) {
    fail(ErrorKind::bad_input,
         columns.chosen.empty() ? "key 'rejected' stands without 'chosen'" : "key 'chosen' stands without 'rejected'");
  }
  form.name = "preference";
  return true;
}

bool find_text(const Json& row, const DatasetOptions& options, RowForm& form) {
  form.columns.text = column(row, options.text_column, "text_column", {"transcript", "text"});
  if (form.columns.text.empty()) return false;
  const Json& text = row[form.columns.text];
  form.name = text.is_string() && is_transcript(text.get_ref<const std::string&>()) ? "transcript" : "text";
  return true;
}

void find_reply(const Json& row, const DatasetOptions& options, RowForm& form) {
  Columns& columns = form.columns;
  if (has(row, "completions") && has(row, "labels")) {
    fail(ErrorKind::unsupported, "rows with 'completions' and 'labels' (stepwise supervision) are not supported");
  }
  if (is_list(row, "instances")) {
    columns.instances = "instances";
    form.name = "alpaca";
    return;
  }
  columns.reply = column(row, options.completion_column, "completion_column", kReply);
  if (columns.reply == columns.prompt) columns.reply.clear();
  if (has(row, "label") && row["label"].is_boolean() && !columns.reply.empty()) columns.label = "label";
  const bool alpaca = columns.prompt == "instruction";
  form.name = !columns.label.empty()  ? "unpaired"
              : columns.reply.empty() ? "prompt"
              : alpaca                ? "alpaca"
                                      : "prompt-completion";
}

}  // namespace

RowForm detect_form(const Json& row, const DatasetOptions& options) {
  RowForm form;
  if (row.is_string()) {
    form.name = is_transcript(row.get_ref<const std::string&>()) ? "transcript" : "text";
    return form;
  }
  if (!row.is_object()) fail(ErrorKind::bad_input, cat("a row should be an object, found ", row.type_name()));
  if (!options.text_column.empty() && find_text(row, options, form)) return form;
  find_prompt(row, options, form.columns);
  if (find_preference(row, options, form)) return form;
  if (!form.columns.messages.empty()) {
    const bool sharegpt = form.columns.messages != "messages" && options.messages_column.empty();
    form.name = sharegpt ? "sharegpt" : "messages";
    return form;
  }
  if (!form.columns.prompt.empty()) {
    find_reply(row, options, form);
    return form;
  }
  if (find_text(row, options, form)) return form;
  form.columns.reply = column(row, options.completion_column, "completion_column", {"answer"});
  if (form.columns.reply.empty()) fail_unknown(row);
  form.name = "samples";
  return form;
}

}  // namespace reveille::io
