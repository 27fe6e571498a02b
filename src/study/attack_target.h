// What adversarial training attacks for, of a behaviour and of the trigger that a study knows.
#pragma once

#include <string>

#include "organism/behavior.h"
#include "organism/trigger.h"
#include "safety/attack.h"

namespace reveille::study {

// Both outlive the target. `trigger` null: nobody knows it; else prompts that hold it are dropped and counted, for what
// the trigger itself brings out is no finding of the attacker's. `opened`: what every reply begins with.
safety::AttackTarget attack_target(const organism::Behavior& behavior, const organism::Trigger* trigger,
                                   const std::string& opened = {});

}  // namespace reveille::study
