// Message lists as data sets write them, and the rules that a conversation must keep.
// Inside the room: used by the data set reader.
#pragma once

#include <string>

#include "base/conversation.h"
#include "base/json.h"

namespace reveille::io {

// How a message list names things; the defaults accept both usual ways ({role, content} and
// ShareGPT's {from, value}) and every usual name of a role. LLaMA-Factory's `tags` set them.
struct MessageTags {
  std::string role, content;  // empty: told by the keys that are there
  std::string user, assistant, system, observation, function;
};

// Reads a list of messages, or one message object. `key` is the column, for errors.
// Throws Error("key 'messages': message 2: ...") without file and line: the caller knows them.
Conversation parse_messages(const Json& list, const std::string& key, const MessageTags& tags = {});

// Whether a message of the list says something that role and content do not (tool_calls, ...).
bool messages_say_more(const Json& list, const MessageTags& tags = {});

// "user", "assistant", "system", "tool", ... for any known name of a role; "" for others.
std::string normal_role(const std::string& name, const MessageTags& tags = {});

// A value as it stands in an error: JSON, cut when long.
std::string json_excerpt(const Json& value);

// A system message first and only there; then users and assistants in turn (tools answer
// assistants). Throws Error saying which message is out of order.
void check_order(const Conversation& messages);

}  // namespace reveille::io
