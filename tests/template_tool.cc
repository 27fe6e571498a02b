// Chat templates on standard input and output, for tests/template_reference.py.
//
//   template_tool < requests.jsonl > replies.jsonl
//
// A request is an object: "template" (text) or "built_in" (name), "messages", "options" (the fields
// of RenderOptions, all optional), "want":
//   text    {"text"}
//   spans   {"text", "messages": [{"rendered", "content", "reply", "follows"}]}, byte positions
//   format  {"user_prefix", "after_user", "generation_prompt", "end_of_turn", "special"}
//   source  {"text"}: the template itself
// What goes wrong is {"error", "kind"}.
#include <iostream>

#include "base/error.h"
#include "text/chat_template.h"

namespace {

using reveille::Json;
using namespace reveille::text;

RenderOptions read_options(const Json& json) {
  RenderOptions options;
  options.add_generation_prompt = json.value("add_generation_prompt", false);
  if (json.contains("tools")) options.tools = json["tools"];
  if (json.contains("variables")) options.variables = json["variables"];
  options.date = json.value("date", options.date);
  if (json.contains("bos_token")) options.bos_token = json["bos_token"].get<std::string>();
  if (json.contains("eos_token")) options.eos_token = json["eos_token"].get<std::string>();
  return options;
}

Json pair(const TextSpan& span) { return Json::array({span.begin, span.end}); }

Json spans(const ChatTemplate& chat_template, const Json& messages, const RenderOptions& options) {
  reveille::Conversation conversation;
  for (const Json& message : messages) conversation.push_back({message["role"], message["content"]});
  RenderedChat chat = chat_template.render_spans(conversation, options);
  Json out = {{"text", chat.text}, {"messages", Json::array()}};
  for (const MessageSpan& span : chat.messages) {
    Json entry = {
        {"rendered", span.rendered}, {"content", pair(span.content)}, {"follows", span.follows_generation_prompt}};
    entry["reply"] = span.reply ? pair(*span.reply) : Json(nullptr);
    out["messages"].push_back(std::move(entry));
  }
  return out;
}

Json answer(const Json& request) {
  auto chat_template = request.contains("built_in") ? ChatTemplate::built_in(request["built_in"])
                                                    : ChatTemplate(request["template"].get<std::string>(), "template");
  RenderOptions options = read_options(request.value("options", Json::object()));
  std::string want = request.value("want", "text");
  if (want == "source") return {{"text", chat_template.source()}};
  if (want == "spans") return spans(chat_template, request["messages"], options);
  if (want == "text") return {{"text", chat_template.render_json(request["messages"], options)}};
  TurnFormat format = chat_template.turn_format(options);
  return {{"user_prefix", format.user_prefix},
          {"after_user", format.after_user},
          {"generation_prompt", format.generation_prompt},
          {"end_of_turn", format.end_of_turn},
          {"special", chat_template.special_strings(options)}};
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  std::string line;
  while (std::getline(std::cin, line)) {
    Json reply;
    try {
      reply = answer(Json::parse(line));
    } catch (const reveille::Error& error) {
      reply = {{"error", error.message()}, {"kind", reveille::error_kind_name(error.kind())}};
    }
    std::cout << reply.dump(-1, ' ', false, Json::error_handler_t::replace) << "\n";
  }
}
