#include "cli/lines.h"

#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/error.h"
#include "base/interrupt.h"

namespace reveille::cli {
namespace {

// False after a signal. The signals are held back but for the wait itself, so that none slips in before it.
bool wait() {
  sigset_t held, before;
  sigemptyset(&held);
  sigaddset(&held, SIGINT);
  sigaddset(&held, SIGTERM);
  sigprocmask(SIG_BLOCK, &held, &before);
  pollfd input{STDIN_FILENO, POLLIN, 0};
  if (!interrupted()) ::ppoll(&input, 1, nullptr, &before);
  sigprocmask(SIG_SETMASK, &before, nullptr);
  return !interrupted();
}

}  // namespace

std::optional<std::string> Lines::next() {
  for (;;) {
    if (std::size_t feed = buffer_.find('\n'); feed != std::string::npos) return take(feed, feed + 1);
    if (ended_) return buffer_.empty() ? std::nullopt : std::optional(take(buffer_.size(), buffer_.size()));
    if (!wait()) return std::nullopt;
    char bytes[4096];
    const ssize_t got = ::read(STDIN_FILENO, bytes, sizeof bytes);
    if (got < 0 && errno != EINTR) fail(ErrorKind::io, cat("cannot read standard input: ", std::strerror(errno)));
    if (got > 0) buffer_.append(bytes, static_cast<std::size_t>(got));
    ended_ = got == 0;
  }
}

std::string Lines::take(std::size_t length, std::size_t used) {
  std::string line = buffer_.substr(0, length);
  buffer_.erase(0, used);
  return line;
}

}  // namespace reveille::cli
