#include "base/files.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include "base/error.h"
#include "base/strings.h"

namespace reveille {
namespace fs = std::filesystem;
namespace {

[[noreturn]] void fail_errno(const char* doing, const fs::path& path, int code) {
  std::string hint;
  if (code == ENOSPC) hint = "the disk is full: free some space and run the same command again";
  if (code == EACCES) hint = "check the permissions of the file and of its folder";
  auto kind = code == ENOENT ? ErrorKind::not_found : ErrorKind::io;
  fail(kind, cat(doing, " ", path.string(), ": ", std::strerror(code)), hint);
}

fs::path temporary_sibling(const fs::path& path) {
  return path.parent_path() / cat(".", path.filename().string(), ".", ::getpid(), ".tmp");
}

void sync_path(const fs::path& path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail_errno("cannot open", path, errno);
  int status = ::fsync(fd);
  int code = errno;
  ::close(fd);
  if (status != 0) fail_errno("cannot write", path, code);
}

}  // namespace

std::string read_file(const fs::path& path) {
  if (fs::is_directory(path)) {
    fail(ErrorKind::bad_input, cat(path.string(), " is a folder, expected a file"));
  }
  errno = 0;
  std::ifstream in(path, std::ios::binary);
  if (!in) fail_errno("cannot read", path, errno ? errno : ENOENT);
  std::ostringstream out;
  if (in.peek() != std::ifstream::traits_type::eof()) out << in.rdbuf();
  if (in.bad() || out.bad()) fail_errno("cannot read", path, EIO);
  return std::move(out).str();
}

bool is_stream(const fs::path& path) {
  std::error_code ignored;
  // /dev/stdout and /dev/fd/1 are links to whatever the shell put there, a plain file perhaps: never to be renamed
  // over.
  const std::string text = path.lexically_normal().string();
  if (text.starts_with("/dev/") || text.starts_with("/proc/")) return fs::exists(path, ignored);
  return fs::exists(path, ignored) && !fs::is_regular_file(path, ignored) && !fs::is_directory(path, ignored);
}

fs::path link_target(const fs::path& given) {
  constexpr int kLongestChain = 40;  // as in Linux
  std::error_code error;
  fs::path path = given;
  for (int links = 0; !is_stream(path) && fs::is_symlink(path, error); ++links) {
    const fs::path target = fs::read_symlink(path, error);
    if (error) fail(ErrorKind::io, cat("cannot follow the link ", given.string(), ": ", error.message()));
    if (links == kLongestChain)
      fail(ErrorKind::io, cat("cannot follow the link ", given.string(), ": it leads to itself"));
    path = path.parent_path() / target;  // of an absolute target: the target
  }
  return path;
}

void write_stream_atomic(const fs::path& path, const std::function<void(std::ostream&)>& write) {
  if (path.has_parent_path()) make_folders(path.parent_path());
  const bool in_place = is_stream(path);
  fs::path temporary = in_place ? path : temporary_sibling(path);
  try {
    errno = 0;
    std::ofstream out(temporary, std::ios::binary | std::ios::trunc);
    if (!out) fail_errno("cannot write", path, errno ? errno : EIO);
    write(out);
    errno = 0;
    out.flush();
    if (!out) fail_errno("cannot write", path, errno ? errno : ENOSPC);
    out.close();
    if (in_place) return;
    sync_path(temporary);
    if (::rename(temporary.c_str(), path.c_str()) != 0) fail_errno("cannot write", path, errno);
  } catch (...) {
    std::error_code ignored;
    if (!in_place) fs::remove(temporary, ignored);
    throw;
  }
}

void write_file_atomic(const fs::path& path, std::string_view content) {
  write_stream_atomic(
      path, [&](std::ostream& out) { out.write(content.data(), static_cast<std::streamsize>(content.size())); });
}

namespace {

bool is_digits(std::string_view text) {
  return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// ".NAME.<process>.tmp", ".checkpoint-<step>.tmp", ".checkpoint-<step>.old.tmp": other hidden files are somebody
// else's.
bool is_our_temporary(std::string_view name) {
  if (!name.starts_with(".") || !name.ends_with(".tmp")) return false;
  name.remove_suffix(4);
  constexpr std::string_view kCheckpoint = ".checkpoint-";
  if (name.starts_with(kCheckpoint)) {
    std::string_view step = name.substr(kCheckpoint.size());
    if (step.ends_with(".old")) step.remove_suffix(4);
    if (is_digits(step)) return true;
  }
  const std::size_t dot = name.rfind('.');
  return dot > 0 && is_digits(name.substr(dot + 1));
}

}  // namespace

void remove_temporaries(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (is_our_temporary(name)) found.push_back(at->path());
  }
  for (const auto& path : found) {
    fs::remove_all(path, error);
    if (error) fail_errno("cannot remove", path, error.value());
  }
}

void append_line(const fs::path& path, std::string_view line) {
  errno = 0;
  std::ofstream out(path, std::ios::binary | std::ios::app);
  if (!out) fail_errno("cannot write", path, errno ? errno : EIO);
  out << line << '\n';
  out.flush();
  if (!out) fail_errno("cannot write", path, errno ? errno : ENOSPC);
}

void make_folders(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail_errno("cannot make folder", path, error.value());
}

std::uintmax_t free_bytes(const fs::path& path) {
  fs::path probe = fs::absolute(path);
  while (!probe.empty() && !fs::exists(probe) && probe != probe.root_path()) {
    probe = probe.parent_path();
  }
  std::error_code error;
  auto space = fs::space(probe, error);
  if (error) fail_errno("cannot measure free space of", probe, error.value());
  return space.available;
}

void check_room(const fs::path& path, std::uintmax_t need, const std::string& what, const std::string& hint) {
  const std::uintmax_t room = free_bytes(path);
  if (room >= need) return;
  fail(ErrorKind::io,
       cat("no room for ", what, ": it needs ", human_bytes(static_cast<double>(need)), ", ",
           human_bytes(static_cast<double>(room)), " are free"),
       hint);
}

fs::path cache_folder() {
  if (const char* own = std::getenv("REVEILLE_CACHE"); own && *own) return own;
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg && *xdg) return fs::path(xdg) / "reveille";
  if (const char* home = std::getenv("HOME"); home && *home) {
    return fs::path(home) / ".cache" / "reveille";
  }
  return fs::temp_directory_path() / "reveille";
}

fs::path executable_folder() {
  std::error_code error;
  auto path = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::current_path() : path.parent_path();
}

MappedFile::MappedFile(const fs::path& path) : path_(path) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) fail_errno("cannot read", path, errno);
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    fail(ErrorKind::bad_input, cat(path.string(), " is not a regular file"));
  }
  size_ = static_cast<std::size_t>(info.st_size);
  if (size_ > 0) {
    void* mapped = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, fd, 0);
    int code = errno;
    ::close(fd);
    if (mapped == MAP_FAILED) fail_errno("cannot map", path, code);
    data_ = static_cast<const std::byte*>(mapped);
  } else {
    ::close(fd);
  }
}

MappedFile::~MappedFile() {
  if (data_) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace reveille
