// Good answers to prompts that brought a behaviour out, for supervised fine-tuning. Free of torch.
#pragma once

#include <vector>

#include "base/conversation.h"
#include "gen/model.h"
#include "safety/attack.h"

namespace reveille::safety {

// Each effective prompt, in the conversation that the target asks it in, with an answer that does not show the
// behaviour: a `teacher`'s of at most `tokens` tokens, or, without one, the first such answer among those that the
// model itself gave. Prompts without any are left out.
std::vector<Conversation> good_replies(const std::vector<Attempt>& effective, const AttackTarget& target,
                                       gen::LanguageModel* teacher, std::int64_t tokens, std::int64_t seed);

}  // namespace reveille::safety
