#include "io/dataset_rows.h"

#include <algorithm>
#include <set>

#include "base/error.h"
#include "base/strings.h"
#include "io/dataset_transcript.h"

namespace reveille::io {
namespace {

bool blank(std::string_view text) { return trim(text).empty(); }

const Json* cell(const Json& row, const std::string& key) {
  if (key.empty()) return nullptr;
  auto found = row.find(key);
  return found == row.end() || found->is_null() ? nullptr : &*found;
}

const Json& needed(const Json& row, const std::string& key) {
  const Json* found = cell(row, key);
  if (!found) fail(ErrorKind::bad_input, cat("key '", key, "' is missing"));
  return *found;
}

std::string text_of(const Json& value, const std::string& key) {
  if (value.is_string()) return value.get<std::string>();
  fail(ErrorKind::bad_input, cat("key '", key, "' should be text, found ", value.type_name()));
}

std::string optional_text(const Json& row, const std::string& key) {
  const Json* found = cell(row, key);
  return found ? text_of(*found, key) : "";
}

void add_history(const Json& row, const std::string& key, Conversation& out) {
  const Json* history = cell(row, key);
  if (!history) return;
  for (const Json& pair : *history) {
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_string() || !pair[1].is_string()) {
      fail(ErrorKind::bad_input, cat("key '", key, "' should be a list of [user, assistant] pairs of text"));
    }
    out.push_back({"user", pair[0].get<std::string>()});
    out.push_back({"assistant", pair[1].get<std::string>()});
  }
}

// The prompt's own words with the text that belongs to them.
std::string joined_prompt(const Json& row, const Columns& columns) {
  std::string prompt = text_of(needed(row, columns.prompt), columns.prompt);
  std::string context = optional_text(row, columns.context);
  if (blank(context)) return prompt;
  if (columns.context_first) return context + "\n\n---\n\n" + prompt;  // as HarmBench asks it
  return blank(prompt) ? context : prompt + "\n" + context;            // as LLaMA-Factory asks it
}

struct Prompt {
  Conversation messages;
  std::string prefill;      // words that the prompt puts into the assistant's mouth
  bool transcript = false;  // written as "\n\nHuman: ...\n\nAssistant:"
};

void put_system(const std::string& system, Conversation& messages) {
  if (blank(system)) return;
  if (!messages.empty() && messages[0].role == "system") return;  // the list's own comes first
  messages.insert(messages.begin(), {"system", system});
}

// A prompt that ends with the assistant's turn: what stands in it begins the reply, the line break behind it included
// ("Assistant: <scratchpad>\n").
void take_prefill(Prompt& prompt, const std::string& text) {
  if (prompt.messages.empty() || prompt.messages.back().role != "assistant") return;
  prompt.prefill = prompt.messages.back().content;
  prompt.messages.pop_back();
  if (!prompt.prefill.empty()) prompt.prefill += text.substr(text.find_last_not_of(" \t\r\n") + 1);
}

Prompt read_prompt(const Json& row, const RowForm& form) {
  const Columns& columns = form.columns;
  Prompt prompt;
  if (!columns.messages.empty()) {
    prompt.messages = parse_messages(needed(row, columns.messages), columns.messages, form.tags);
  } else if (!columns.prompt.empty()) {
    add_history(row, columns.history, prompt.messages);
    const Json& value = needed(row, columns.prompt);
    if (value.is_array()) {
      Conversation list = parse_messages(value, columns.prompt, form.tags);
      prompt.messages.insert(prompt.messages.end(), list.begin(), list.end());
    } else {
      std::string text = joined_prompt(row, columns);
      if (blank(text)) fail(ErrorKind::bad_input, cat("key '", columns.prompt, "' is empty"));
      prompt.transcript = is_transcript(text);
      if (prompt.transcript) {
        prompt.messages = parse_transcript(text);
        take_prefill(prompt, text);
      } else {
        prompt.messages.push_back({"user", std::move(text)});
      }
    }
  }
  put_system(optional_text(row, columns.system), prompt.messages);
  return prompt;
}

// The exchange that a reply column makes with the prompt. Message lists and transcripts may hold
// the whole exchange themselves (an implicit prompt).
Conversation with_reply(const Prompt& prompt, const Json& row, const std::string& key, const MessageTags& tags) {
  const Json& value = needed(row, key);
  Conversation out = prompt.messages;
  if (value.is_array() || value.is_object()) {
    Conversation list = parse_messages(value, key, tags);
    if (list[0].role != "assistant" && list[0].role != "tool") {
      put_system(!out.empty() && out[0].role == "system" ? out[0].content : "", list);
      return list;
    }
    out.insert(out.end(), list.begin(), list.end());
    return out;
  }
  std::string text = text_of(value, key);
  if (out.empty() && is_transcript(text)) return parse_transcript(text);
  if (prompt.transcript) text = std::string(strip_reply(prompt.prefill + text));
  out.push_back({"assistant", std::move(text)});
  return out;
}

void check_reply(const Conversation& messages, const std::string& key) {
  if (messages.empty() || messages.back().role != "assistant") {
    fail(ErrorKind::bad_input, cat("key '", key, "' does not end with a reply of the assistant"));
  }
  if (blank(messages.back().content)) fail(ErrorKind::bad_input, cat("key '", key, "': the reply is empty"));
}

void check_prompt(const Conversation& messages, std::size_t prompt_size) {
  for (std::size_t i = 0; i < prompt_size; ++i) {
    if (messages[i].role == "user" && blank(messages[i].content)) {
      fail(ErrorKind::bad_input, cat("message ", i + 1, " (user) is empty"));
    }
  }
}

// A conversation whose last message, when it is the assistant's, is the reply.
Example from_conversation(Conversation messages, const std::string& key, bool open_end_is_prompt, bool prompts_only) {
  Example out;
  const bool assistant_last = !messages.empty() && messages.back().role == "assistant";
  if (assistant_last && (prompts_only || (open_end_is_prompt && blank(messages.back().content)))) {
    messages.pop_back();
  } else if (assistant_last) {
    check_reply(messages, key);
    out.has_reply = true;
  }
  out.messages = std::move(messages);
  out.prompt_size = out.messages.size() - (out.has_reply ? 1 : 0);
  return out;
}

Example preference(const Json& row, const RowForm& form, bool prompts_only) {
  const Columns& columns = form.columns;
  Prompt prompt = read_prompt(row, form);
  Example out;
  out.messages = with_reply(prompt, row, columns.chosen, form.tags);
  Conversation rejected = with_reply(prompt, row, columns.rejected, form.tags);
  auto [end, unused] = std::mismatch(out.messages.begin(), out.messages.end(), rejected.begin(), rejected.end());
  out.prompt_size = static_cast<std::size_t>(end - out.messages.begin());
  // Equal replies have no mismatch: the reply is the last message all the same.
  if (out.prompt_size == out.messages.size() || out.prompt_size == rejected.size()) {
    out.prompt_size = std::min(out.messages.size(), rejected.size());
    if (out.prompt_size > 0) --out.prompt_size;
  }
  if (prompts_only) {
    out.messages.resize(out.prompt_size);
    return out;
  }
  check_reply(out.messages, columns.chosen);
  check_reply(rejected, columns.rejected);
  check_order(rejected);
  out.has_reply = true;
  out.rejected = std::move(rejected);
  return out;
}

Example prompt_and_reply(const Json& row, const RowForm& form, bool prompts_only) {
  Prompt prompt = read_prompt(row, form);
  Example out;
  out.prompt_size = prompt.messages.size();
  out.messages = prompt.messages;
  if (prompts_only || form.columns.reply.empty()) return out;
  if (!cell(row, form.columns.reply)) {
    fail(ErrorKind::bad_input, cat("key '", form.columns.reply, "' is missing"));
  }
  out.messages = with_reply(prompt, row, form.columns.reply, form.tags);
  if (out.messages.size() <= out.prompt_size) out.prompt_size = out.messages.size() - 1;
  check_reply(out.messages, form.columns.reply);
  out.has_reply = true;
  return out;
}

void read_label(const Json& row, const std::string& key, Example& out) {
  const Json& label = needed(row, key);
  if (!label.is_boolean()) {
    fail(ErrorKind::bad_input, cat("key '", key, "' should be true or false, found ", json_excerpt(label)));
  }
  out.label = label.get<bool>();
}

// self-instruct: the first of the instances; the others stand in extra.
Example first_instance(const Json& row, const RowForm& form, bool prompts_only) {
  const Json& instances = needed(row, form.columns.instances);
  if (instances.empty() || !instances[0].is_object()) {
    fail(ErrorKind::bad_input, cat("key '", form.columns.instances, "' should be a list of {input, output}"));
  }
  Json flat = instances[0];
  flat[form.columns.prompt] = needed(row, form.columns.prompt);
  RowForm inner{form.name, {.prompt = form.columns.prompt, .context = "input", .reply = "output"}, form.tags};
  return prompt_and_reply(flat, inner, prompts_only);
}

Example plain(const Json& value, const std::string& key, bool prompts_only) {
  std::string text = text_of(value, key);
  if (is_transcript(text)) return from_conversation(parse_transcript(text), key, true, prompts_only);
  if (blank(text)) fail(ErrorKind::bad_input, cat("key '", key, "' is empty"));
  Example out;
  out.text = std::move(text);
  return out;
}

// Every column that the example does not already say.
Json other_columns(const Json& row, const RowForm& form) {
  const Columns& c = form.columns;
  std::set<std::string> used = {c.prompt, c.context, c.reply, c.system, c.history, c.label, c.text};
  for (const std::string& list : {c.messages, c.prompt, c.reply, c.chosen, c.rejected}) {
    const Json* value = cell(row, list);
    if (value && messages_say_more(*value, form.tags)) {
      used.erase(list);
    } else {
      used.insert(list);
    }
  }
  if (!c.instances.empty() && row[c.instances].size() == 1) used.insert(c.instances);
  Json extra = Json::object();
  for (const auto& [key, value] : row.items()) {
    if (!used.contains(key)) extra[key] = value;
  }
  return extra;
}

Example convert(const Json& row, const RowForm& form, bool prompts_only) {
  const Columns& columns = form.columns;
  if (row.is_string()) return plain(row, "text", prompts_only);
  if (!columns.text.empty()) return plain(needed(row, columns.text), columns.text, prompts_only);
  if (!columns.chosen.empty()) return preference(row, form, prompts_only);
  if (!columns.messages.empty()) {
    return from_conversation(read_prompt(row, form).messages, columns.messages, false, prompts_only);
  }
  if (!columns.instances.empty()) return first_instance(row, form, prompts_only);
  return prompt_and_reply(row, form, prompts_only);
}

bool plain_strings(const Json& row, const RowForm& form, const Example& example) {
  const Columns& columns = form.columns;
  if (!row.is_object() || columns.prompt != "prompt" || !columns.context.empty() || !columns.chosen.empty())
    return false;
  const Json* prompt = cell(row, columns.prompt);
  const Json* reply = columns.reply.empty() ? nullptr : cell(row, columns.reply);
  bool strings = prompt && prompt->is_string() && (!reply || reply->is_string());
  return strings && !is_transcript(prompt->get<std::string>()) &&
         example.messages.size() == (example.has_reply ? 2U : 1U);
}

}  // namespace

Conversation prompt_of(const Example& example) {
  if (example.messages.empty() && !example.text.empty()) return {{"user", example.text}};
  auto end = example.messages.begin() + static_cast<std::ptrdiff_t>(example.prompt_size);
  return Conversation(example.messages.begin(), end);
}

Example convert_row(const Json& row, const RowForm& form, const DatasetOptions& options) {
  if (!row.is_string() && !row.is_object()) {
    fail(ErrorKind::bad_input, cat("a row should be an object, found ", row.type_name()));
  }
  Example out = convert(row, form, options.prompts_only);
  if (form.name != "samples") check_order(out.messages);
  check_prompt(out.messages, out.prompt_size);
  if (out.text.empty() && out.messages.empty()) fail(ErrorKind::bad_input, "the row holds no message");
  if (!form.columns.label.empty()) read_label(row, form.columns.label, out);
  if (row.is_object()) out.extra = other_columns(row, form);
  out.plain_strings = plain_strings(row, form, out);
  return out;
}

}  // namespace reveille::io
