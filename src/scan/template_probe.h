// Asks a chat template what it makes of messages that hold this or that.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/conversation.h"
#include "text/chat_template.h"

namespace reveille::scan {

// What a template does when a message holds a string.
struct Reaction {
  bool user = false;     // a user's or an assistant's message does it; false: only the deployer's system message
  bool altered = false;  // the message itself is passed on otherwise
  std::vector<std::string> added, removed;  // words of the text around the message
  bool operator==(const Reaction&) const = default;
};

class TemplateProbe {
 public:
  // Error(bad_input) for what is no template.
  TemplateProbe(const std::string& source, const std::string& name);

  // Nothing where the template refuses the conversation.
  std::optional<std::string> render(const Conversation& conversation, bool generation_prompt = true,
                                    bool tools = false) const;

  // What changes when a message holds `text` in place of a word that no template knows: alone, before and after other
  // words, in the messages of each role.
  std::vector<Reaction> reactions(const std::string& text) const;
  // The same for a message that is `content` and nothing else, of each role.
  std::vector<Reaction> reactions_to(const std::string& content) const;

 private:
  void compare(const std::string& plain, const std::string& holding, std::vector<Reaction>& out) const;
  text::ChatTemplate template_;
};

// The words that the probes put into messages.
extern const char* const kProbeWords;

}  // namespace reveille::scan
