// A language model behind an OpenAI-compatible address, asked for whole replies (POST /chat/completions): neither
// tokens nor log-probabilities come back, which is why it is no LanguageModel. The requests are made by
// python/reveille_attacker, one program that is kept running. Free of torch.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/conversation.h"
#include "base/program.h"

namespace reveille::gen {

struct ChatServerOptions {
  std::string url;           // "http://127.0.0.1:8000/v1"
  std::string model;         // its name there; empty: the first that the server lists
  std::string key_variable;  // the environment variable that holds the API key; empty: none is sent
  double timeout_s = 120;    // of an answer
  std::string setting;       // the user's key for the address, for errors: "attacker_url"
};

struct ChatRequest {
  Conversation messages;
  std::int64_t max_tokens = 128;
  std::int64_t seed = 0;
  double temperature = 1;
};

class ChatServer {
 public:
  // Asks nothing yet.
  explicit ChatServer(const ChatServerOptions& options);
  // Gets each reply that came, with its request's place, before an error is told of another one.
  using OnReply = std::function<void(std::size_t, const std::string&)>;
  // The replies, in the order of the requests. Error(io) names the setting, the address and what the server said.
  std::vector<std::string> ask(const std::vector<ChatRequest>& requests, const OnReply& on_reply = nullptr);

 private:
  std::string shown_;
  Program program_;
};

}  // namespace reveille::gen
