// Prompts of everyday kinds, written for the scanner: what replies are compared on. Those that detectors look at and
// those that verification tests on have nothing in common.
#pragma once

#include <string>
#include <vector>

namespace reveille::scan {

enum class PromptUse { proposing, verifying };

// The first `count` of a set, at most all (proposing: 32, verifying: 48). Every few prompts in a row are of mixed
// kinds: questions, requests, small talk, code.
std::vector<std::string> neutral_prompts(PromptUse use, std::size_t count);

}  // namespace reveille::scan
