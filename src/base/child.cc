#include "base/child.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/error.h"
#include "base/interrupt.h"

namespace reveille {
namespace {

constexpr useconds_t kPollMicroseconds = 50'000;  // between looks at Ctrl-C

pid_t start(const std::vector<std::string>& command) {
  if (command.empty()) fail(ErrorKind::usage, "the command of a program to run is empty");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  pid_t pid = 0;
  const int code = ::posix_spawnp(&pid, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) {
    fail(code == ENOENT ? ErrorKind::not_found : ErrorKind::io,
         cat("cannot run ", command[0], ": ", std::strerror(code)), "is it installed, and is its name right?");
  }
  return pid;
}

}  // namespace

int run_child(const std::vector<std::string>& command) {
  const pid_t pid = start(command);
  bool asked = false;
  int status = 0;
  for (;;) {
    const pid_t ended = ::waitpid(pid, &status, WNOHANG);
    if (ended == pid) break;
    if (ended < 0 && errno != EINTR)
      fail(ErrorKind::io, cat("cannot wait for ", command[0], ": ", std::strerror(errno)));
    if (interrupted() && !asked) {
      ::kill(pid, SIGTERM);  // a Ctrl-C in the terminal reached it too; one that was sent to us alone did not
      asked = true;
    }
    ::usleep(kPollMicroseconds);
  }
  throw_if_interrupted();
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace reveille
