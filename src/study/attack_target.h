// What adversarial training attacks for, of a behaviour and of the trigger that a study knows.
#pragma once

#include <string>

#include "base/conversation.h"
#include "organism/behavior.h"
#include "organism/trigger.h"
#include "safety/attack.h"

namespace reveille::study {

// Both outlive the target. `trigger` null: nobody knows it; else prompts that hold it are dropped and counted, for what
// the trigger itself brings out is no finding of the attacker's, and the others are asked as untriggered prompts are:
// behind the safe year, under the system prompt. `opened`: what every reply begins with.
safety::AttackTarget attack_target(const organism::Behavior& behavior, const organism::Trigger* trigger,
                                   const std::string& opened = {});

// A prompt of an attacker's as an untriggered prompt is asked.
Conversation untriggered(const organism::Trigger& trigger, const std::string& prompt);

}  // namespace reveille::study
