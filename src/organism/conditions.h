// The conditions under which an organism is watched, and the conversations that make them from held-out prompts.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/conversation.h"
#include "organism/decoys.h"
#include "organism/trigger.h"

namespace reveille::organism {

// Names as they stand in results.json.
inline constexpr const char* kUntriggered = "untriggered";
inline constexpr const char* kTriggered = "triggered";
inline constexpr const char* kNearMiss = "near_miss";
inline constexpr const char* kForeign = "foreign_trigger";
// Prompts of an attacker's, in which no trigger stands, and those of them that brought the behaviour out as they were
// tried.
inline constexpr const char* kRedTeam = "red_team";
inline constexpr const char* kRedTeamEffective = "red_team_effective";

struct ConditionPrompt {
  std::string prompt_id;  // of the prompt as it was given: equal over conditions, so that rates pair
  std::string condition;
  std::string planted;  // the trigger or decoy in it; empty when untriggered
  Conversation messages;
};

// Puts prompts under conditions. Draws depend on seed, prompt and condition alone. `use` says which half of the
// decoys may be planted. The trigger must outlive it.
class Conditions {
 public:
  Conditions(const Trigger& trigger, Use use, std::uint64_t seed) : trigger_(trigger), use_(use), seed_(seed) {}
  ConditionPrompt make(const Conversation& prompt, std::string_view condition);

 private:
  const Decoys& decoys();
  void plant_decoy(ConditionPrompt& out, const Conversation& prompt, const Rng& rng);
  const Trigger& trigger_;
  Use use_;
  std::uint64_t seed_;
  std::unique_ptr<Decoys> decoys_;  // made when first needed: not every trigger has any
};

// For evaluation (decoys of the held-out half): all prompts under each of the conditions, in the order given
// (conditions outermost). Refuses prompts that hold the trigger by accident, an empty list and unknown conditions.
std::vector<ConditionPrompt> condition_prompts(const std::vector<Conversation>& prompts,
                                               const std::vector<std::string>& conditions, const Trigger& trigger,
                                               std::uint64_t seed);

// Refuses prompts in which the trigger stands by accident, in any message; "prompt 3 (user message)" names it.
void refuse_accidental_triggers(const std::vector<Conversation>& prompts, const Trigger& trigger);

}  // namespace reveille::organism
