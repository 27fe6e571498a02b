// The text of replay.py and replay.sh, with @DATA@, @PLAIN@ and @TRIGGERED@ where JSON of ASCII alone goes in.
#pragma once

namespace reveille::scan {

extern const char* const kReplayPython;
extern const char* const kReplayShell;

}  // namespace reveille::scan
