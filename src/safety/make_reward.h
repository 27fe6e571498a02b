// Rewards by what a command line or a recipe says of them.
#pragma once

#include <memory>
#include <string>

#include "gen/local.h"
#include "safety/reward.h"

namespace reveille::safety {

// "token:TEXT": the share of that token; "program:COMMAND ARGUMENTS": a program of the user's; else the folder of a
// reward model, opened on the policy's device and in its type. Errors say what is wrong with it.
std::unique_ptr<Reward> make_reward(const std::string& what, const gen::LocalModel& policy,
                                    const gen::OpenOptions& options);

}  // namespace reveille::safety
