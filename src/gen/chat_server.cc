#include "gen/chat_server.h"

#include "base/error.h"
#include "base/python_module.h"
#include "io/dataset_write.h"

namespace reveille::gen {
namespace {

constexpr int kTries = 3;  // that python/reveille_attacker makes

std::vector<std::string> command(const ChatServerOptions& options) {
  auto out = python_module("reveille_attacker");
  out.insert(out.end(), {"--url", options.url, "--timeout", cat(options.timeout_s), "--tries", cat(kTries)});
  if (!options.model.empty()) out.insert(out.end(), {"--model", options.model});
  if (!options.key_variable.empty()) out.insert(out.end(), {"--key-variable", options.key_variable});
  return out;
}

}  // namespace

ChatServer::ChatServer(const ChatServerOptions& options)
    : shown_(cat(options.setting, "=", options.url)),
      // It gives up by itself, with a better word than ours.
      program_({command(options), kTries * (options.timeout_s + 10) + 30, "chat server"}) {}

std::vector<std::string> ChatServer::ask(const std::vector<ChatRequest>& requests, const OnReply& on_reply) {
  std::vector<Json> rows;
  for (const auto& request : requests) {
    rows.push_back(Json{{"messages", io::messages_json(request.messages)},
                        {"temperature", request.temperature},
                        {"max_tokens", request.max_tokens},
                        {"seed", request.seed}});
  }
  std::vector<std::string> out;
  std::string error;  // the first
  for (const auto& answer : program_.ask(std::move(rows))) {
    out.emplace_back();
    if (answer.contains("error")) {
      if (error.empty()) error = json_string(answer, "error", shown_);
      continue;
    }
    out.back() = json_string(answer, "text", "an answer of " + shown_);
    if (on_reply) on_reply(out.size() - 1, out.back());
  }
  if (error.empty()) return out;
  fail(ErrorKind::io, cat(shown_, ": ", error),
       "see that a server answers there; what was done so far is kept, and the same command goes on from it");
}

}  // namespace reveille::gen
