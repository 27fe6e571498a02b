// Another program that is run to its end.
#pragma once

#include <string>
#include <vector>

namespace reveille {

// Waits for `command` (program and arguments; found on PATH) and gives its exit code, 128 and the number where a signal
// ended it. What it prints goes to standard error, which it shares: our own output stays ours. On Ctrl-C it is asked to
// end, waited for, and Error(interrupted) follows. Error(not_found) or Error(io) where it cannot be started.
int run_child(const std::vector<std::string>& command);

}  // namespace reveille
