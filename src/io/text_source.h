// Text of a data file as a stream of bytes: plain or gzip (told by content, not by name), with
// the line number of every byte, so that errors can name it. A byte-order mark is skipped.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace reveille::io {

// The longest line, JSON value or CSV field that is read (bytes).
constexpr std::size_t kMaxItemBytes = std::size_t{64} << 20;

class TextSource {
 public:
  // Throws Error: not_found, io; unsupported for formats that are no text (xz, Parquet, ...).
  explicit TextSource(const std::filesystem::path& path);
  // Text in memory, for tests and fuzzing; `name` stands in errors.
  TextSource(std::string bytes, std::string name);
  ~TextSource();
  TextSource(const TextSource&) = delete;
  TextSource& operator=(const TextSource&) = delete;

  static constexpr int kEnd = -1;
  int peek() {
    if (at_ == end_ && !refill()) return kEnd;
    return static_cast<unsigned char>(buffer_[at_]);
  }
  int get() {
    int byte = peek();
    if (byte == kEnd) return kEnd;
    ++at_;
    if (byte == '\n') ++line_;
    return byte;
  }

  // The line of the next byte, counted from 1.
  std::size_t line() const { return line_; }
  const std::string& name() const { return name_; }
  // "file:line", for errors.
  std::string where() const;

  // Reads up to the end of the line; the line feed (and a carriage return before it) is dropped.
  // False at the end. `closed` says whether a line feed was there (a cut last line has none).
  bool read_line(std::string& out, bool* closed = nullptr);
  std::string read_all(std::size_t limit);
  // The bytes that the buffer holds beyond the next one, for guessing a format. At least
  // `want` of them unless the text ends before (want is at most 64 KiB).
  std::string_view look_ahead(std::size_t want);

 private:
  bool refill();
  void check_start();

  std::string name_;
  struct Stream;
  std::unique_ptr<Stream> stream_;  // null for text in memory
  std::vector<char> buffer_;
  std::size_t at_ = 0, end_ = 0, line_ = 1;
};

}  // namespace reveille::io
