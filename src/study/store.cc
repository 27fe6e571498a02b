#include "study/store.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <set>
#include <thread>
#include <utility>

#include "base/error.h"
#include "base/files.h"
#include "base/hash.h"
#include "base/interrupt.h"
#include "base/progress.h"

namespace reveille::study {
namespace fs = std::filesystem;

Store::Store(fs::path root) : root_(std::move(root)) {}

bool Store::has(const std::string& key) const { return fs::exists(folder(key) / "step.json"); }

fs::path Store::folder(const std::string& key) const { return root_ / key; }

fs::path Store::partial_folder(const std::string& key) const { return root_ / (key + ".partial"); }

StoreLock::StoreLock(const Store& store, const std::string& key) : path_(store.root() / ("." + key + ".lock")) {
  file_ = ::open(path_.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0644);
  if (file_ < 0) fail(ErrorKind::io, cat("cannot write ", path_.string(), ": ", std::strerror(errno)));
  for (bool said = false; ::flock(file_, LOCK_EX | LOCK_NB) != 0;) {
    if (errno != EWOULDBLOCK && errno != EINTR) return;  // a file system without locks: as before there were any
    if (!std::exchange(said, true)) say("  another study works on this step; waiting for it");
    throw_if_interrupted();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

StoreLock::~StoreLock() { ::close(file_); }

void Store::commit(const std::string& key, const Json& about) {
  write_json(partial_folder(key) / "step.json", about);
  fs::remove_all(folder(key));  // a folder without step.json can only be damaged
  std::error_code error;
  fs::rename(partial_folder(key), folder(key), error);
  if (error)
    fail(ErrorKind::io,
         cat("cannot move ", partial_folder(key).string(), " to ", folder(key).string(), ": ", error.message()));
}

std::vector<Store::Unneeded> Store::unneeded(const std::vector<std::string>& needed) const {
  std::set<std::string> keep(needed.begin(), needed.end());
  std::vector<Unneeded> out;
  if (!fs::exists(root_)) return out;
  for (const auto& entry : fs::directory_iterator(root_)) {
    std::string key = entry.path().filename().string();
    if (!entry.is_directory() || keep.count(key)) continue;
    std::string name = "unfinished step";
    if (fs::exists(entry.path() / "step.json")) name = read_json(entry.path() / "step.json").value("name", "step");
    out.push_back({key, name, folder_bytes(entry.path())});
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.key < b.key; });
  return out;
}

void Store::remove(const std::string& key) { fs::remove_all(root_ / key); }

std::string step_key(const std::string& name, int version, const Json& options,
                     const std::vector<std::string>& inputs) {
  Json identity{{"name", name}, {"version", version}, {"options", options}, {"inputs", inputs}};
  return sha256_hex(identity.dump()).substr(0, 24);
}

std::uintmax_t folder_bytes(const fs::path& folder) {
  std::uintmax_t total = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) total += entry.file_size();
  }
  return total;
}

void place_file(const fs::path& from, const fs::path& to) {
  make_folders(to.parent_path());
  std::error_code error;
  fs::remove(to, error);
  fs::create_hard_link(from, to, error);
  if (!error) return;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  if (error) fail(ErrorKind::io, cat("cannot write ", to.string(), ": ", error.message()));
}

void place_folder(const fs::path& from, const fs::path& to) {
  for (const auto& entry : fs::recursive_directory_iterator(from)) {
    if (entry.is_regular_file()) place_file(entry.path(), to / fs::relative(entry.path(), from));
  }
}

}  // namespace reveille::study
