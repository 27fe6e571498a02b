// The appending half of io/jsonl.h.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/error.h"
#include "base/files.h"
#include "io/jsonl.h"

namespace reveille::io {
namespace {

[[noreturn]] void fail_writing(const std::filesystem::path& path, int code) {
  fail(ErrorKind::io, cat("cannot write ", path.string(), ": ", std::strerror(code)),
       code == ENOSPC ? "the disk is full: free some space and run the same command again" : "");
}

off_t size_of(int file, const std::filesystem::path& path) {
  struct stat info {};
  if (::fstat(file, &info) != 0) fail_writing(path, errno);
  return info.st_size;
}

// The bytes after the last line feed of the first `size` bytes.
std::string last_line(int file, off_t size, const std::filesystem::path& path) {
  constexpr off_t kChunk = 1 << 16;
  std::string tail;
  for (off_t end = size; end > 0;) {
    off_t start = end > kChunk ? end - kChunk : 0;
    std::string chunk(static_cast<std::size_t>(end - start), '\0');
    ssize_t got = ::pread(file, chunk.data(), chunk.size(), start);
    if (got != static_cast<ssize_t>(chunk.size())) fail_writing(path, got < 0 ? errno : EIO);
    std::size_t feed = chunk.rfind('\n');
    if (feed != std::string::npos) return chunk.substr(feed + 1) + tail;
    tail = chunk + tail;
    if (tail.size() > kMaxItemBytes) {
      fail(ErrorKind::bad_input, cat(path.string(), ": the last line is longer than ", kMaxItemBytes, " bytes"));
    }
    end = start;
  }
  return tail;
}

}  // namespace

JsonlAppender::JsonlAppender(std::filesystem::path path, Open open) : path_(std::move(path)) {
  if (path_.has_parent_path()) make_folders(path_.parent_path());
  int flags = O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | (open == Open::truncate ? O_TRUNC : 0);
  file_ = ::open(path_.c_str(), flags, 0644);
  if (file_ < 0) fail_writing(path_, errno);
  try {
    repair_end();
  } catch (...) {
    ::close(file_);
    throw;
  }
}

JsonlAppender::~JsonlAppender() {
  if (file_ >= 0) ::close(file_);
}

// A last line without a line feed is either whole (an editor left the line feed out) or cut.
void JsonlAppender::repair_end() {
  off_t size = size_of(file_, path_);
  std::string tail = last_line(file_, size, path_);
  if (tail.empty()) return;
  // Only a closing bracket shows that a value is whole: a cut "123" is "12".
  if ((tail.back() == '}' || tail.back() == ']') && Json::accept(tail)) {
    write_all("\n");
    return;
  }
  dropped_ = tail.size();
  if (::ftruncate(file_, size - static_cast<off_t>(tail.size())) != 0) fail_writing(path_, errno);
}

void JsonlAppender::append(const Json& row) { write_all(json_line(row) + "\n"); }

void JsonlAppender::write_all(std::string_view bytes) {
  off_t before = size_of(file_, path_);
  while (!bytes.empty()) {
    ssize_t wrote = ::write(file_, bytes.data(), bytes.size());
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) {
      int code = wrote < 0 ? errno : ENOSPC;
      // Best effort: opening the file again repairs it as well.
      if (::ftruncate(file_, before) != 0) code = code ? code : errno;
      fail_writing(path_, code);
    }
    bytes.remove_prefix(static_cast<std::size_t>(wrote));
  }
}

void JsonlAppender::sync() {
  if (::fsync(file_) != 0) fail_writing(path_, errno);
}

}  // namespace reveille::io
