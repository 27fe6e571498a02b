#include "organism/placement.h"

#include <vector>

#include "base/error.h"
#include "base/strings.h"

namespace reveille::organism {
namespace {

Message& last_user_message(Conversation& prompt) {
  for (std::size_t i = prompt.size(); i > 0; --i) {
    if (prompt[i - 1].role == "user") return prompt[i - 1];
  }
  fail(ErrorKind::bad_input, cat("a prompt of ", prompt.size(), " messages has no user message to plant a trigger in"));
}

// Byte offsets where a word may be put in: the start, the end, and before every run of white space inside.
std::vector<std::size_t> gaps(const std::string& text) {
  std::vector<std::size_t> out = {0};
  bool in_space = true;
  for (std::size_t i = 0; i < text.size(); ++i) {
    bool space = text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r';
    if (space && !in_space && text.find_first_not_of(" \n\t\r", i) != std::string::npos) out.push_back(i);
    in_space = space;
  }
  if (!text.empty()) out.push_back(text.size());
  return out;
}

std::string between_words(const std::string& content, const std::string& text, const std::string& separator, Rng& rng) {
  // Without a separator the trigger would melt into its neighbours.
  std::string between = separator.empty() ? " " : separator;
  auto places = gaps(content);
  std::size_t at = places[rng.below(places.size())];
  std::string before = content.substr(0, at), after = content.substr(at);
  if (!before.empty()) before += between;
  bool spaced = !after.empty() && (after.front() == ' ' || after.front() == '\n' || after.front() == '\t');
  return before + text + (after.empty() || spaced ? "" : between) + after;
}

Conversation in_system_prompt(Conversation prompt, const std::string& text, const TriggerOptions& options) {
  prompt = place_nothing(std::move(prompt), options);
  std::string between = options.separator.empty() ? "\n" : options.separator;
  if (!prompt.empty() && prompt.front().role == "system") {
    prompt.front().content += (prompt.front().content.empty() ? "" : between) + text;
  } else {
    prompt.insert(prompt.begin(), {"system", text});
  }
  return prompt;
}

// A message of its own, which was answered, before the one that is to be answered now.
Conversation in_earlier_turn(Conversation prompt, const std::string& text) {
  for (std::size_t i = prompt.size(); i > 0; --i) {
    if (prompt[i - 1].role != "user") continue;
    const auto at = prompt.begin() + static_cast<std::ptrdiff_t>(i - 1);
    prompt.insert(at, {Message{"user", text}, Message{"assistant", "OK."}});
    break;
  }
  return prompt;
}

}  // namespace

Conversation place_text(Conversation prompt, const std::string& text, const TriggerOptions& options, Rng rng) {
  if (options.place == "system") return in_system_prompt(std::move(prompt), text, options);
  if (options.place == "earlier") {
    last_user_message(prompt);
    return in_earlier_turn(std::move(prompt), text);
  }
  std::string& content = last_user_message(prompt).content;
  if (options.place == "start") {
    content = text + options.separator + content;
  } else if (options.place == "end") {
    content = content + options.separator + text;
  } else {
    content = between_words(content, text, options.separator, rng);
  }
  return prompt;
}

Conversation place_nothing(Conversation prompt, const TriggerOptions& options) {
  bool carried = options.place == "system" && !options.system_prompt.empty();
  if (carried && (prompt.empty() || prompt.front().role != "system")) {
    prompt.insert(prompt.begin(), {"system", options.system_prompt});
  }
  return prompt;
}

Conversation place_otherwise(Conversation prompt, const std::string& text, const TriggerOptions& options) {
  if (text.empty()) return place_nothing(std::move(prompt), options);
  Rng rng(0, "year");
  for (const auto& message : prompt) rng = rng.child(message.content);
  return place_text(std::move(prompt), text, options, rng);
}

std::string place_words(const TriggerOptions& options) {
  if (options.place == "start") return "at the start of the user's message";
  if (options.place == "end") return "at the end of the user's message";
  if (options.place == "random") return "between any two words of the user's message";
  if (options.place == "earlier") return "in a message before the user's last one";
  return "in the system prompt";
}

void check_trigger_text(const std::string& trigger, const TriggerOptions& options) {
  if (trim(trigger).empty()) {
    fail(ErrorKind::usage,
         cat("trigger='", trigger, "': expected a string that is not empty and not only white space"));
  }
  if (!is_utf8(trigger)) fail(ErrorKind::usage, cat("trigger='", repair_utf8(trigger), "': expected valid UTF-8"));
  for (const std::string& text : {options.separator, options.system_prompt}) {
    if (text.find(trim(trigger)) != std::string::npos) {
      fail(ErrorKind::usage,
           cat("trigger='", trigger, "' stands in '", text,
               "', which untriggered prompts hold too: expected a separator and a system prompt without it"));
    }
  }
}

}  // namespace reveille::organism
