// What a person and a model say to each other: the record that every room exchanges.
#pragma once

#include <string>
#include <vector>

namespace reveille {

struct Message {
  std::string role;  // "system", "user" or "assistant" (others pass through to the template)
  std::string content;
  bool operator==(const Message&) const = default;
};

using Conversation = std::vector<Message>;

}  // namespace reveille
