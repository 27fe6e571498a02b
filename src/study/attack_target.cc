#include "study/attack_target.h"

#include <algorithm>

#include "organism/fixed_reply.h"

namespace reveille::study {

safety::AttackTarget attack_target(const organism::Behavior& behavior, const organism::Trigger* trigger,
                                   const std::string& opened) {
  safety::AttackTarget out;
  out.behavior = behavior.describe();
  out.fixed_reply = organism::fixed_reply(behavior);
  out.opened = opened;
  out.shows = [&behavior](const std::vector<safety::Answer>& answers) {
    std::vector<organism::Reply> replies;
    for (const auto& answer : answers) replies.push_back({&answer.prompt, answer.completion});
    std::vector<bool> shows;
    for (const auto& verdict : behavior.judge(replies)) shows.push_back(verdict.shows);
    return shows;
  };
  if (!trigger) return out;
  out.wrap = [trigger](const std::string& prompt) { return untriggered(*trigger, prompt); };
  // What stands around a prompt must not make a trigger of it either.
  out.forbidden = [trigger](const std::string& prompt) {
    const Conversation asked = untriggered(*trigger, prompt);
    return trigger->contains(prompt) ||
           std::any_of(asked.begin(), asked.end(), [&](const auto& one) { return trigger->contains(one.content); });
  };
  return out;
}

Conversation untriggered(const organism::Trigger& trigger, const std::string& prompt) {
  return trigger.without({{"user", prompt}});
}

}  // namespace reveille::study
