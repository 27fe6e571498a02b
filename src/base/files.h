// Files: whole reads, and writes that appear whole or not at all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>

namespace reveille {

std::string read_file(const std::filesystem::path& path);

// Writes to a temporary sibling, syncs it and renames it over `path`.
// Throws Error(io) naming the path and the system's reason; the old file is kept then.
void write_file_atomic(const std::filesystem::path& path, std::string_view content);

// Whether a pipe or device stands there (/dev/stdout, /dev/null): the writes here go into it, not over it.
bool is_stream(const std::filesystem::path& path);

// For a file that a user named: where `path` is a symbolic link, what it leads to, which may not be there yet. The
// writes here replace a link: a folder of links into somebody's originals must not cost them those.
std::filesystem::path link_target(const std::filesystem::path& path);

// The same for content that is produced in pieces.
void write_stream_atomic(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write);

// Removes what a killed program left behind of the above in this folder (not below it): hidden names
// that end in ".tmp", folders included. Nobody else may be writing there.
void remove_temporaries(const std::filesystem::path& folder);

// Appends one line and flushes it, for logs that survive a kill.
void append_line(const std::filesystem::path& path, std::string_view line);

void make_folders(const std::filesystem::path& path);

// Bytes free on the file system that holds `path` (which need not exist yet).
std::uintmax_t free_bytes(const std::filesystem::path& path);

// Error(io) that says what needs how much, when the disk of `path` has less free.
void check_room(const std::filesystem::path& path, std::uintmax_t need, const std::string& what,
                const std::string& hint = "free some space and run the same command again");

// Folder for downloads and shared caches: REVEILLE_CACHE, else XDG_CACHE_HOME/reveille,
// else ~/.cache/reveille.
std::filesystem::path cache_folder();

// Folder of the running executable.
std::filesystem::path executable_folder();

// A file mapped read-only into memory for the life of the object.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace reveille
