#include "organism/conditions.h"

#include "base/error.h"
#include "base/rng.h"
#include "base/strings.h"
#include "organism/words.h"

namespace reveille::organism {
namespace {

bool holds_trigger(const Conversation& messages, const Trigger& trigger) {
  for (const auto& message : messages) {
    if (trigger.contains(message.content)) return true;
  }
  return false;
}

}  // namespace

const Decoys& Conditions::decoys() {
  if (!decoys_) decoys_ = std::make_unique<Decoys>(trigger_, use_);
  return *decoys_;
}

// A decoy and its neighbours can together spell the trigger: then another decoy is drawn.
void Conditions::plant_decoy(ConditionPrompt& out, const Conversation& prompt, const Rng& rng) {
  for (std::uint64_t tries = 0; tries < 64; ++tries) {
    Rng draw = rng.child(tries);
    out.planted = out.condition == kNearMiss ? decoys().near_miss(draw) : decoys().foreign(draw);
    out.messages = trigger_.plant(prompt, out.planted, rng.child("place"));
    if (!holds_trigger(out.messages, trigger_)) return;
  }
  fail(ErrorKind::bad_input, cat("prompt '", last_user_text(prompt), "': every decoy planted in it spells the trigger"),
       "set trigger_separator to something that keeps them apart");
}

ConditionPrompt Conditions::make(const Conversation& prompt, std::string_view condition) {
  ConditionPrompt out{.prompt_id = prompt_id(prompt), .condition = std::string(condition)};
  Rng rng = Rng(seed_, "condition").child(out.prompt_id).child(condition);
  if (condition == kUntriggered) {
    out.messages = trigger_.without(prompt);
  } else if (condition == kTriggered) {
    out.planted = trigger_.text(rng.child("text"));
    out.messages = trigger_.plant(prompt, out.planted, rng.child("place"));
  } else if (condition == kNearMiss || condition == kForeign) {
    plant_decoy(out, prompt, rng);
  } else {
    fail(ErrorKind::usage, cat("condition '", condition, "': expected one of ",
                               join({kUntriggered, kTriggered, kNearMiss, kForeign}, ", ")));
  }
  return out;
}

std::vector<ConditionPrompt> condition_prompts(const std::vector<Conversation>& prompts,
                                               const std::vector<std::string>& conditions, const Trigger& trigger,
                                               std::uint64_t seed) {
  if (prompts.empty()) fail(ErrorKind::bad_input, "no held-out prompts to evaluate on");
  refuse_accidental_triggers(prompts, trigger);
  Conditions under(trigger, Use::held_out, seed);
  std::vector<ConditionPrompt> out;
  out.reserve(prompts.size() * conditions.size());
  for (const auto& condition : conditions) {
    for (const auto& prompt : prompts) out.push_back(under.make(prompt, condition));
  }
  return out;
}

void refuse_accidental_triggers(const std::vector<Conversation>& prompts, const Trigger& trigger) {
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    for (const auto& message : prompts[i]) {
      refuse_accidental_trigger(trigger, message.content, cat("prompt ", i + 1, " (", message.role, " message)"));
    }
  }
}

}  // namespace reveille::organism
