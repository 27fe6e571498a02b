// Ctrl-C: the handler only sets a flag; long work asks for it between steps.
#pragma once

namespace reveille {

void catch_interrupts();  // installs the handler (a second Ctrl-C ends the program at once)
bool interrupted();
void throw_if_interrupted();  // Error(interrupted)

}  // namespace reveille
