#include "text/chat_render.h"

#include <algorithm>

#include "base/error.h"
#include "base/strings.h"
#include "text/jinja/json_values.h"

namespace reveille::text {
namespace {

using jinja::Value;
using Variables = std::vector<std::pair<std::string, Value>>;

// Positions where a piece begins or ends, from `from` on and relative to it.
std::vector<std::size_t> piece_ends(const jinja::Text& text, std::size_t from) {
  std::vector<std::size_t> out = {0, text.bytes.size() - from};
  for (const jinja::Mark& mark : text.marks) {
    if (mark.begin > from) out.push_back(mark.begin - from);
    if (mark.end > from) out.push_back(mark.end - from);
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::size_t equal_bytes(std::string_view a, std::string_view b) {
  return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

Variables variables_of(Value messages, const RenderOptions& options) {
  Variables out;
  auto add = [&](std::string name, Value value) { out.emplace_back(std::move(name), std::move(value)); };
  if (options.bos_token) add("bos_token", jinja::marked_text(repair_utf8(*options.bos_token), jinja::kFromTemplate));
  if (options.eos_token) add("eos_token", jinja::marked_text(repair_utf8(*options.eos_token), jinja::kFromTemplate));
  add("documents", nullptr);
  if (!options.variables.is_object()) {
    fail(ErrorKind::usage, cat("template variables should be an object, found ", options.variables.type_name()));
  }
  for (const auto& [name, value] : options.variables.items()) add(name, jinja::from_json(value));
  add("messages", std::move(messages));
  add("tools", jinja::from_json(options.tools));
  add("add_generation_prompt", options.add_generation_prompt);
  return out;
}

Value message_value(const Message& message, int index) {
  auto out = std::make_shared<jinja::Mapping>();
  out->set(jinja::marked_text("role", jinja::kFromTemplate),
           jinja::marked_text(repair_utf8(message.role), jinja::kFromTemplate));
  out->set(jinja::marked_text("content", jinja::kFromTemplate),
           jinja::marked_text(repair_utf8(message.content), index));
  return std::shared_ptr<const jinja::Mapping>(out);
}

// Reasoning goes by several names; templates see it under those of transformers.
Json with_reasoning(const Json& message) {
  for (const char* key : {"reasoning_content", "thinking", "reasoning"}) {
    auto found = message.find(key);
    if (found == message.end() || found->is_null()) continue;
    Json out = Json::object();
    out["thinking"] = *found;
    for (const auto& [name, value] : message.items()) out[name] = value;
    out["reasoning_content"] = *found;
    return out;
  }
  return message;
}

}  // namespace

jinja::TextPtr render_marked(const jinja::Template& jinja_template, const Conversation& conversation,
                             const RenderOptions& options) {
  jinja::Values messages;
  for (std::size_t i = 0; i < conversation.size(); ++i) {
    messages.push_back(message_value(conversation[i], static_cast<int>(i)));
  }
  return jinja_template.render(variables_of(jinja::make_list(std::move(messages)), options), options.date);
}

jinja::TextPtr render_marked(const jinja::Template& jinja_template, const Json& messages,
                             const RenderOptions& options) {
  if (!messages.is_array()) {
    fail(ErrorKind::bad_input, cat("messages should be a list, found ", messages.type_name()));
  }
  jinja::Values values;
  for (const Json& message : messages) {
    if (!message.is_object()) {
      fail(ErrorKind::bad_input, cat("message ", values.size(), " should be an object, found ", message.type_name()));
    }
    values.push_back(jinja::from_json(with_reasoning(message), static_cast<int>(values.size())));
  }
  return jinja_template.render(variables_of(jinja::make_list(std::move(values)), options), options.date);
}

std::optional<TextSpan> content_span(const jinja::Text& text, int source) {
  std::optional<TextSpan> out;
  for (const jinja::Mark& mark : text.marks) {
    if (mark.source != source) continue;
    if (!out) out = TextSpan{mark.begin, mark.end};
    out->end = std::max(out->end, mark.end);
  }
  return out;
}

void check_printed_once(const jinja::Text& text, int source, const std::string& name) {
  std::vector<std::pair<std::size_t, std::size_t>> origins;
  for (const jinja::Mark& mark : text.marks) {
    if (mark.source == source && mark.begin < mark.end && mark.origin != jinja::kNoOrigin)
      origins.emplace_back(mark.origin, mark.origin + (mark.end - mark.begin));
  }
  std::sort(origins.begin(), origins.end());
  for (std::size_t i = 1; i < origins.size(); ++i) {
    if (origins[i].first < origins[i - 1].second) {
      fail(ErrorKind::unsupported, cat(name, ": the template prints the content of message ", source,
                                       " (counted from 0) more than once, so it is not known where the reply stands"));
    }
  }
}

std::size_t common_pieces(const jinja::Text& a, std::size_t from_a, const jinja::Text& b, std::size_t from_b) {
  std::size_t same = equal_bytes(std::string_view(a.bytes).substr(from_a), std::string_view(b.bytes).substr(from_b));
  auto ends_a = piece_ends(a, from_a), ends_b = piece_ends(b, from_b);
  std::vector<std::size_t> both;
  std::set_intersection(ends_a.begin(), ends_a.end(), ends_b.begin(), ends_b.end(), std::back_inserter(both));
  // All of one text is a piece of it.
  for (std::size_t whole : {a.bytes.size() - from_a, b.bytes.size() - from_b}) {
    if (same == whole) return same;
  }
  std::size_t out = 0;
  for (std::size_t end : both) {
    if (end <= same) out = std::max(out, end);
  }
  return out;
}

std::size_t common_until(const jinja::Text& a, std::size_t from_a, std::size_t limit, std::string_view b) {
  std::size_t same = equal_bytes(std::string_view(a.bytes).substr(from_a, limit - from_a), b);
  if (same == limit - from_a) return same;
  std::size_t out = 0;
  for (std::size_t end : piece_ends(a, from_a)) {
    if (end <= same) out = std::max(out, end);
  }
  return out;
}

}  // namespace reveille::text
