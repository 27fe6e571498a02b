#include "io/dataset_messages.h"

#include <map>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::io {
namespace {

const std::map<std::string, std::string>& usual_roles() {
  static const std::map<std::string, std::string> roles = {
      {"system", "system"},     {"developer", "developer"},     {"user", "user"},
      {"human", "user"},        {"prompter", "user"},           {"assistant", "assistant"},
      {"gpt", "assistant"},     {"chatgpt", "assistant"},       {"bing", "assistant"},
      {"bard", "assistant"},    {"bot", "assistant"},           {"model", "assistant"},
      {"ai", "assistant"},      {"function_call", "assistant"}, {"tool", "tool"},
      {"observation", "tool"},  {"function", "tool"},           {"ipython", "tool"},
      {"tool_response", "tool"}};
  return roles;
}

const Json* find(const Json& object, const std::string& key) {
  auto found = object.find(key);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

std::string role_key(const Json& message, const MessageTags& tags) {
  if (!tags.role.empty()) return tags.role;
  return find(message, "role") || !find(message, "from") ? "role" : "from";
}

std::string content_key(const Json& message, const MessageTags& tags) {
  if (!tags.content.empty()) return tags.content;
  return message.contains("content") || !find(message, "value") ? "content" : "value";
}

// Text, or the joined texts of a list of parts.
std::string content_text(const Json& content, const std::string& where) {
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) {
    fail(ErrorKind::bad_input, cat(where, " should be text or a list of parts, found ", content.type_name()));
  }
  std::string text;
  for (const Json& part : content) {
    if (part.is_string()) {
      text += part.get<std::string>();
      continue;
    }
    const Json* type = part.is_object() ? find(part, "type") : nullptr;
    const Json* words = part.is_object() ? find(part, "text") : nullptr;
    if (type && *type != "text") {
      fail(ErrorKind::bad_input, cat(where, " has a part of type ", json_excerpt(*type), "; only text is read"));
    }
    if (!words || !words->is_string()) {
      fail(ErrorKind::bad_input, cat(where, " has a part that is not {\"type\": \"text\", \"text\": ...}"));
    }
    text += words->get<std::string>();
  }
  return text;
}

Message parse_message(const Json& message, const std::string& where, const MessageTags& tags) {
  if (!message.is_object()) {
    fail(ErrorKind::bad_input, cat(where, " should be an object, found ", message.type_name()));
  }
  std::string key = role_key(message, tags);
  const Json* role = find(message, key);
  if (!role || !role->is_string()) fail(ErrorKind::bad_input, cat(where, " has no '", key, "'"));
  Message out;
  out.role = normal_role(role->get<std::string>(), tags);
  if (out.role.empty()) {
    fail(ErrorKind::bad_input,
         cat(where, " has the unknown role ", json_excerpt(*role), "; expected system, user, assistant or tool"));
  }
  key = content_key(message, tags);
  if (const Json* content = find(message, key)) {
    out.content = content_text(*content, cat(where, "'s ", key));
  } else if (!message.contains("tool_calls")) {  // an assistant that only calls tools says nothing
    fail(ErrorKind::bad_input, cat(where, " has no '", key, "'"));
  }
  return out;
}

}  // namespace

std::string json_excerpt(const Json& value) {
  constexpr std::size_t kLongest = 60;
  std::string text = value.dump(-1, ' ', true, Json::error_handler_t::replace);
  return text.size() <= kLongest ? text : text.substr(0, kLongest) + "...";
}

std::string normal_role(const std::string& name, const MessageTags& tags) {
  if (!tags.user.empty() && name == tags.user) return "user";
  if (!tags.assistant.empty() && name == tags.assistant) return "assistant";
  if (!tags.system.empty() && name == tags.system) return "system";
  if (!tags.observation.empty() && name == tags.observation) return "tool";
  if (!tags.function.empty() && name == tags.function) return "assistant";
  auto found = usual_roles().find(lower_ascii(name));
  return found == usual_roles().end() ? "" : found->second;
}

Conversation parse_messages(const Json& list, const std::string& key, const MessageTags& tags) {
  if (list.is_object()) return {parse_message(list, cat("key '", key, "'"), tags)};
  if (!list.is_array()) {
    fail(ErrorKind::bad_input, cat("key '", key, "' should be a list of messages, found ", list.type_name()));
  }
  if (list.empty()) fail(ErrorKind::bad_input, cat("key '", key, "' holds no message"));
  Conversation out;
  for (std::size_t i = 0; i < list.size(); ++i) {
    out.push_back(parse_message(list[i], cat("key '", key, "': message ", i + 1), tags));
  }
  return out;
}

bool messages_say_more(const Json& list, const MessageTags& tags) {
  auto says_more = [&](const Json& message) {
    if (!message.is_object()) return false;
    for (const auto& [key, value] : message.items()) {
      if (key != role_key(message, tags) && key != content_key(message, tags) && !value.is_null()) return true;
    }
    return false;
  };
  if (list.is_object()) return says_more(list);
  if (!list.is_array()) return false;
  for (const Json& message : list) {
    if (says_more(message)) return true;
  }
  return false;
}

void check_order(const Conversation& messages) {
  std::string before;
  for (std::size_t i = 0; i < messages.size(); ++i) {
    const std::string& role = messages[i].role;
    const bool system = role == "system" || role == "developer";
    if (system && i > 0) {
      fail(ErrorKind::bad_input,
           cat("roles out of order: message ", i + 1, " is '", role, "', which may only be first"));
    }
    bool fits = system;
    if (role == "user") fits = before.empty() || before == "assistant";
    if (role == "assistant") fits = before == "user" || before == "tool";
    if (role == "tool") fits = before == "assistant" || before == "tool";
    if (!fits) {
      fail(ErrorKind::bad_input, cat("roles out of order: message ", i + 1, " is '", role, "', ",
                                     before.empty() ? "expected 'user' first" : cat("after '", before, "'")));
    }
    before = system ? "" : role;
  }
}

}  // namespace reveille::io
