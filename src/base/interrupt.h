// Ctrl-C: the handler only sets a flag; long work asks for it between steps.
#pragma once

namespace reveille {

void catch_interrupts();  // installs the handler (a second Ctrl-C ends the program at once)
bool interrupted();
void throw_if_interrupted();  // Error(interrupted), without a hint: what to do then is the verb's to say
// True when Ctrl-C was pressed since the last call, and forgets it: for programs that go on. A SIGTERM is kept.
bool take_ctrl_c();

}  // namespace reveille
