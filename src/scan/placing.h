// A prompt with a string in its place, as a conversation, and as the tokens that a model is asked and taught with.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/conversation.h"
#include "gen/local.h"
#include "scan/candidate.h"
#include "train/example.h"

namespace reveille::scan {

// `trigger` "": the prompt alone.
Conversation placed(const std::string& prompt, const std::string& trigger, Place place);

// Ids up to where the assistant's reply begins. A model without a template gets the plainest form of a dialogue.
std::vector<std::int32_t> encode_asked(const gen::LocalModel& model, const Conversation& asked);

// The same with a reply to learn. A reply that is not `finished` was cut off: its end of turn is not learnt.
train::Example encode_answered(const gen::LocalModel& model, Conversation asked, const std::string& reply,
                               bool finished, const std::string& source);

// Whether the model's template takes a string in this place (some refuse a system prompt).
bool takes_place(const gen::LocalModel& model, Place place);

}  // namespace reveille::scan
