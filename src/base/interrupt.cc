#include "base/interrupt.h"

#include <csignal>

#include "base/error.h"

namespace reveille {
namespace {

volatile std::sig_atomic_t stop_asked = 0;

void on_signal(int number) {
  if (stop_asked) {
    std::signal(number, SIG_DFL);
    std::raise(number);
  }
  stop_asked = number;
}

}  // namespace

void catch_interrupts() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

bool interrupted() { return stop_asked != 0; }

void throw_if_interrupted() {
  if (interrupted()) fail(ErrorKind::interrupted, stop_asked == SIGTERM ? "stopped by SIGTERM" : "stopped by Ctrl-C");
}

bool take_ctrl_c() {
  if (stop_asked != SIGINT) return false;
  stop_asked = 0;
  return true;
}

}  // namespace reveille
