// A judge that is another program (base/program.h), kept running.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/program.h"
#include "organism/behavior.h"

namespace reveille::organism {

// The behaviour with another judge: rows {"id", "prompt": [messages], "completion"} out to `command`, rows
// {"id", "shows": true or false} back; "valid": false for what cannot be judged, and any further keys, are kept.
std::unique_ptr<Behavior> judged_by(std::unique_ptr<Behavior> behavior, std::vector<std::string> command,
                                    double timeout_s);

// A verdict of such a row. Error(bad_input) where `key` is missing or no boolean; `where` names the program.
Verdict verdict_of(const Json& answer, const char* key, const std::string& where);

}  // namespace reveille::organism
