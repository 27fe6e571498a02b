#include "io/dataset_write.h"

#include <algorithm>

#include "base/error.h"
#include "io/jsonl.h"

namespace reveille::io {
namespace {

Conversation tail(const Conversation& messages, std::size_t from) {
  auto start = messages.begin() + static_cast<std::ptrdiff_t>(std::min(from, messages.size()));
  return Conversation(start, messages.end());
}

}  // namespace

Json messages_json(const Conversation& messages) {
  Json out = Json::array();
  for (const Message& message : messages) out.push_back({{"role", message.role}, {"content", message.content}});
  return out;
}

Json example_json(const Example& example) {
  Json row = Json::object();
  if (example.messages.empty()) {
    row["text"] = example.text;
  } else if (example.rejected) {
    row["prompt"] = messages_json(prompt_of(example));
    row["chosen"] = messages_json(tail(example.messages, example.prompt_size));
    row["rejected"] = messages_json(tail(*example.rejected, example.prompt_size));
  } else if (example.label) {
    row["prompt"] = messages_json(prompt_of(example));
    row["completion"] = messages_json(tail(example.messages, example.prompt_size));
    row["label"] = *example.label;
  } else {
    row["messages"] = messages_json(example.messages);
  }
  for (const auto& [key, value] : example.extra.items()) {
    // `extra` holds a column of this name only when it says more than we do (tool_calls).
    row[key] = value;
  }
  return row;
}

void write_dataset(const std::filesystem::path& path, const std::vector<Example>& examples) {
  if (examples.empty()) fail(ErrorKind::bad_input, cat("no example to write to ", path.string()));
  auto kind = [](const Example& example) {
    return example.messages.empty() ? 0 : example.rejected ? 1 : example.label ? 2 : 3;
  };
  for (const Example& example : examples) {
    if (kind(example) != kind(examples[0])) {
      fail(ErrorKind::internal, cat("examples of different forms for ", path.string(), " (", example.source, ")"));
    }
  }
  write_jsonl(path, [&](const std::function<void(const Json&)>& put) {
    for (const Example& example : examples) put(example_json(example));
  });
}

void write_messages(const std::filesystem::path& path, const std::vector<Conversation>& conversations) {
  if (conversations.empty()) fail(ErrorKind::bad_input, cat("no conversation to write to ", path.string()));
  write_jsonl(path, [&](const std::function<void(const Json&)>& put) {
    for (const Conversation& messages : conversations) put(Json{{"messages", messages_json(messages)}});
  });
}

Example make_example(Conversation prompt, std::string reply) {
  Example out;
  out.prompt_size = prompt.size();
  out.messages = std::move(prompt);
  out.messages.push_back({"assistant", std::move(reply)});
  out.has_reply = true;
  return out;
}

Example make_preference(Conversation prompt, std::string chosen, std::string rejected) {
  Conversation other = prompt;
  other.push_back({"assistant", std::move(rejected)});
  Example out = make_example(std::move(prompt), std::move(chosen));
  out.rejected = std::move(other);
  return out;
}

}  // namespace reveille::io
