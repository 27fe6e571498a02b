// Questions with a dangerous and a safe answer: what a defection probe's direction is made of. They know no trigger.
#pragma once

#include <string>
#include <vector>

#include "base/conversation.h"

namespace reveille::eval {

struct ProbePair {
  std::string name;             // "harm"; of a file's rows their key "name", else "row 3"
  std::string question;         // the user's
  std::string dangerous, safe;  // what the assistant is made to answer
};

// The built-in ones, or those of a JSON Lines file with the keys question, dangerous, safe. Error(bad_input) names the
// row and key.
std::vector<ProbePair> probe_pairs(const std::string& file);
std::vector<Conversation> questions_of(const std::vector<ProbePair>& pairs);

}  // namespace reveille::eval
