#include "study/attack_target.h"

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
  if (trigger) out.forbidden = [trigger](const std::string& prompt) { return trigger->contains(prompt); };
  return out;
}

}  // namespace reveille::study
