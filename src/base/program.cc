#include "base/program.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <optional>

#include "base/error.h"
#include "base/interrupt.h"
#include "base/strings.h"

namespace reveille {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kLongestLine = std::size_t{64} << 20;  // of an answer
constexpr int kPollMs = 100;                                 // between looks at Ctrl-C

}  // namespace

struct Program::Child {
  pid_t pid = 0;
  int to = -1, from = -1;

  explicit Child(const std::vector<std::string>& command) {
    // A socket in front of it, since writing to a pipe that nobody reads raises SIGPIPE.
    int in[2], out[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, in) != 0 || ::pipe2(out, O_CLOEXEC) != 0)
      fail(ErrorKind::io, cat("cannot start ", command[0], ": ", std::strerror(errno)));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, in[1], STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
    // A group of its own: a Ctrl-C in the terminal is ours to handle, and its own children end with it.
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
    std::vector<char*> arguments;
    for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    const int code = ::posix_spawnp(&pid, arguments[0], &actions, &attributes, arguments.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    posix_spawnattr_destroy(&attributes);
    ::close(in[1]);
    ::close(out[1]);
    to = in[0];
    from = out[0];
    ::fcntl(from, F_SETFL, O_NONBLOCK);
    if (code != 0) {
      ::close(to);
      ::close(from);
      fail(code == ENOENT ? ErrorKind::not_found : ErrorKind::io,
           cat("cannot run ", command[0], ": ", std::strerror(code)), "is it installed, and is its name right?");
    }
  }

  ~Child() {
    ::close(to);
    ::close(from);
    if (pid <= 0) return;
    // The end of its input is a polite word; then it has a second.
    for (int tries = 0; tries < 50; ++tries) {
      if (::waitpid(pid, nullptr, WNOHANG) != 0) {
        kill_group();  // what it may have started itself
        return;
      }
      ::usleep(20'000);
    }
    kill_group();
    ::waitpid(pid, nullptr, 0);
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  void kill_group() const { ::kill(-pid, SIGKILL); }
};

// Sends the rows and gathers the answers of one child.
class Program::Exchange {
 public:
  Exchange(Program& program, const std::vector<Json>& rows, std::vector<std::optional<Json>>& answers)
      : program_(program), answers_(answers) {
    for (std::size_t i = 0; i < rows.size(); ++i) {
      if (answers[i]) continue;
      out_ += rows[i].dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
      ++left_;
    }
  }

  // False when the program ended before it had answered all.
  bool run() {
    auto heard = Clock::now();
    while (left_ > 0) {
      throw_if_interrupted();
      pollfd watched[2] = {{program_.child_->from, POLLIN, 0}, {program_.child_->to, POLLOUT, 0}};
      ::poll(watched, sending() ? 2 : 1, kPollMs);
      if (sending()) send();
      const std::size_t before = left_;
      if (!receive()) return false;
      if (left_ < before) heard = Clock::now();
      const std::chrono::duration<double> silent = Clock::now() - heard;
      if (silent.count() > program_.options_.timeout_s) refuse_silence();
    }
    return true;
  }

 private:
  bool sending() const { return !deaf_ && sent_ < out_.size(); }

  void send() {
    const ssize_t sent =
        ::send(program_.child_->to, out_.data() + sent_, out_.size() - sent_, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) sent_ += static_cast<std::size_t>(sent);
    // A socket that nobody reads any more is always ready: to watch it would be to spin until the time-out.
    if (sent < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR) deaf_ = true;
  }

  // One read, so that a program that never stops talking cannot keep us from looking at the clock.
  bool receive() {
    char bytes[65536];
    const ssize_t got = ::read(program_.child_->from, bytes, sizeof bytes);
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    if (got == 0) return left_ == 0;
    const std::size_t seen = in_.size();  // no line feed stands before `seen`
    std::size_t begin = 0;
    in_.append(bytes, static_cast<std::size_t>(got));
    for (std::size_t end = in_.find('\n', seen); end != std::string::npos; end = in_.find('\n', begin)) {
      line(in_.substr(begin, end - begin));
      begin = end + 1;
    }
    in_.erase(0, begin);
    if (in_.size() > kLongestLine) bad("a line of more than 64 MiB");
    return true;
  }

  [[noreturn]] void refuse_silence() {
    program_.stop();
    fail(ErrorKind::io,
         cat(program_.shown(), " answered nothing for ", program_.options_.timeout_s, " s, ", left_, " rows were open",
             deaf_ ? "; it had closed its standard input before it had read them all" : ""),
         "raise its time-out, or see what it waits for");
  }

  void line(const std::string& text) {
    if (trim(text).empty()) return;
    Json answer = Json::parse(text, nullptr, false);
    if (answer.is_discarded() || !answer.is_object()) bad("'" + repair_utf8(text.substr(0, 120)) + "'");
    if (answer.contains("ready")) {
      program_.greeting_ = std::move(answer);
      return;
    }
    const bool numbered = answer.contains("id") && answer["id"].is_number_unsigned();
    const std::size_t id = numbered ? answer["id"].get<std::size_t>() : answers_.size();
    if (id >= answers_.size() || answers_[id]) bad("'" + repair_utf8(text.substr(0, 120)) + "'");
    answers_[id] = std::move(answer);
    --left_;
  }

  [[noreturn]] void bad(const std::string& what) {
    program_.stop();
    fail(ErrorKind::io, cat(program_.shown(), " answered ", what),
         "expected one line of JSON a row, with the row's own \"id\"");
  }

  Program& program_;
  std::vector<std::optional<Json>>& answers_;
  std::string out_, in_;
  std::size_t sent_ = 0, left_ = 0;
  bool deaf_ = false;  // it has closed its standard input
};

Program::Program(ProgramOptions options) : options_(std::move(options)) {
  if (options_.command.empty() || options_.command[0].empty())
    fail(ErrorKind::usage, cat(options_.what, ": the command is empty"), "name a program and its arguments");
}

Program::~Program() = default;

std::vector<Json> Program::ask(std::vector<Json> rows) {
  std::vector<std::optional<Json>> answers(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i]["id"] = i;
  bool whole = false;
  for (int tries = 0; tries < 2 && !whole; ++tries) {
    if (!child_) child_ = std::make_unique<Child>(options_.command);
    try {
      whole = Exchange(*this, rows, answers).run();
    } catch (...) {
      stop();  // what it still answers would be taken for answers to the next rows
      throw;
    }
    if (!whole) stop();
  }
  std::vector<Json> out;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (!answers[i])
      fail(ErrorKind::io, cat(shown(), " ended twice without an answer to row ", i + 1, " of ", rows.size()),
           "what it wrote to standard error stands above");
    out.push_back(std::move(*answers[i]));
  }
  return out;
}

void Program::stop() {
  if (child_ && child_->pid > 0) child_->kill_group();
  child_.reset();
}

std::string Program::shown() const { return cat("the ", options_.what, " '", join(options_.command, " "), "'"); }

}  // namespace reveille
