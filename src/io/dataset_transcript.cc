#include "io/dataset_transcript.h"

#include <algorithm>
#include <array>

#include "base/strings.h"

namespace reveille::io {
namespace {

constexpr std::string_view kHuman = "\n\nHuman:";
constexpr std::string_view kAssistant = "\n\nAssistant:";

struct Marker {
  std::size_t at = std::string_view::npos, length = 0;
  const char* role = "";
};

Marker next_marker(std::string_view text, std::size_t from) {
  std::size_t human = text.find(kHuman, from);
  std::size_t assistant = text.find(kAssistant, from);
  if (human < assistant) return {human, kHuman.size(), "user"};
  if (assistant < human) return {assistant, kAssistant.size(), "assistant"};
  return {};
}

void add_turn(Conversation& messages, const char* role, std::string_view content) {
  content = trim(content);
  if (messages.empty() || messages.back().role != role) {
    messages.push_back({role, std::string(content)});
    return;
  }
  std::string& before = messages.back().content;
  if (!before.empty() && !content.empty()) before += "\n\n";
  before += content;
}

}  // namespace

bool is_transcript(std::string_view text) {
  if (text.starts_with(kHuman)) return true;
  std::size_t human = text.starts_with(kHuman.substr(2)) ? 0 : text.find(kHuman);
  return human != std::string_view::npos && text.find(kAssistant, human) != std::string_view::npos;
}

Conversation parse_transcript(std::string_view text) {
  std::string padded;
  if (text.starts_with(kHuman.substr(2))) {
    padded = "\n\n" + std::string(text);
    text = padded;
  }
  Conversation messages;
  Marker marker = next_marker(text, 0);
  std::string_view before = trim(text.substr(0, marker.at));
  if (!before.empty()) messages.push_back({"system", std::string(before)});
  while (marker.at != std::string_view::npos) {
    std::size_t start = marker.at + marker.length;
    Marker following = next_marker(text, start);
    std::size_t end = std::min(following.at, text.size());
    add_turn(messages, marker.role, text.substr(start, end - start));
    marker = following;
  }
  if (!messages.empty() && messages.back().role == "user" && messages.back().content.empty()) messages.pop_back();
  return messages;
}

std::string_view strip_reply(std::string_view reply) {
  reply = trim(reply);
  for (std::string_view ending : {std::string_view("Human:"), std::string_view("Human")}) {
    if (!reply.ends_with(ending)) continue;
    std::string_view rest = reply.substr(0, reply.size() - ending.size());
    if (rest.ends_with("\n")) return trim(rest);
  }
  return reply;
}

}  // namespace reveille::io
