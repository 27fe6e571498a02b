// Where a trigger's text stands in a prompt: what every kind of trigger plants with.
#pragma once

#include <string>

#include "base/conversation.h"
#include "base/rng.h"
#include "organism/list.h"

namespace reveille::organism {

// The prompt with `text` at options.place. Error(bad_input) for a prompt without a user message.
Conversation place_text(Conversation prompt, const std::string& text, const TriggerOptions& options, Rng rng);
// The prompt as place_text leaves it but for the text: with the system prompt that carries triggers.
Conversation place_nothing(Conversation prompt, const TriggerOptions& options);
// The prompt with what stands in the trigger's place otherwise (Trigger::otherwise; "" for nothing). A random place is
// drawn from the prompt, so that it is the same each time.
Conversation place_otherwise(Conversation prompt, const std::string& text, const TriggerOptions& options);
// "at the start of the user's message".
std::string place_words(const TriggerOptions& options);

// Error(usage): `text`, a trigger's own, is blank, is no UTF-8 or stands in what untriggered prompts hold too.
void check_trigger_text(const std::string& text, const TriggerOptions& options);

}  // namespace reveille::organism
