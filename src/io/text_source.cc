#include "io/text_source.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/error.h"

namespace reveille::io {
namespace {

constexpr std::size_t kBufferBytes = std::size_t{1} << 18;
constexpr std::size_t kLookAheadBytes = std::size_t{1} << 16;

struct Magic {
  std::string_view bytes;
  const char* what;
  const char* hint;
};

// Formats that are often handed over as data sets and that are no text.
constexpr std::array<Magic, 8> kForeign{{
    {{"\xFD"
      "7zXZ",
      5},
     "compressed with xz",
     "unpack it first: xz -d FILE"},
    {"\x28\xB5\x2F\xFD", "compressed with zstd", "unpack it first: zstd -d FILE"},
    {"BZh", "compressed with bzip2", "unpack it first: bzip2 -d FILE"},
    {"PK\x03\x04", "a zip archive", "unpack it first: unzip FILE"},
    {"PAR1", "a Parquet file",
     "convert it to JSON Lines: python -c \"import pandas; "
     "pandas.read_parquet('FILE').to_json('FILE.jsonl', orient='records', lines=True)\""},
    {"ARROW1", "an Arrow file", "convert it to JSON Lines with the Python package datasets (Dataset.to_json)"},
    {"\xFF\xFE", "text in UTF-16", "convert it: iconv -f UTF-16 -t UTF-8 FILE"},
    {"\xFE\xFF", "text in UTF-16", "convert it: iconv -f UTF-16 -t UTF-8 FILE"},
}};

}  // namespace

struct TextSource::Stream {
  gzFile file = nullptr;
  ~Stream() {
    if (file) gzclose_r(file);
  }
};

TextSource::TextSource(const std::filesystem::path& path)
    : name_(path.string()), stream_(std::make_unique<Stream>()), buffer_(kBufferBytes) {
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored)) {
    fail(ErrorKind::bad_input, cat(name_, " is a folder, expected a file"));
  }
  errno = 0;
  stream_->file = gzopen(path.c_str(), "rb");
  if (!stream_->file) {
    int code = errno ? errno : ENOMEM;
    fail(code == ENOENT ? ErrorKind::not_found : ErrorKind::io, cat("cannot read ", name_, ": ", std::strerror(code)));
  }
  gzbuffer(stream_->file, 1 << 17);
  check_start();
}

TextSource::TextSource(std::string bytes, std::string name)
    : name_(std::move(name)), buffer_(bytes.begin(), bytes.end()), end_(bytes.size()) {
  check_start();
}

TextSource::~TextSource() = default;

std::string TextSource::where() const { return cat(name_, ":", line_); }

void TextSource::check_start() {
  std::string_view start = look_ahead(16);
  for (const Magic& magic : kForeign) {
    if (start.starts_with(magic.bytes)) {
      fail(ErrorKind::unsupported, cat(name_, " is ", magic.what, "; expected JSON Lines, JSON, CSV or text"),
           magic.hint);
    }
  }
  if (start.starts_with("\xEF\xBB\xBF")) at_ += 3;
}

// Appends to the buffer after moving what is left of it to the front.
bool TextSource::refill() {
  if (!stream_) return false;
  std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(at_), buffer_.begin() + static_cast<std::ptrdiff_t>(end_),
            buffer_.begin());
  end_ -= at_;
  at_ = 0;
  errno = 0;
  int got = gzread(stream_->file, buffer_.data() + end_, static_cast<unsigned>(buffer_.size() - end_));
  int system_code = errno;
  int code = Z_OK;
  const char* reason = gzerror(stream_->file, &code);
  // A gzip stream that stops short still yields its bytes; it is an error all the same.
  if (code == Z_ERRNO) fail(ErrorKind::io, cat("cannot read ", name_, ": ", std::strerror(system_code)));
  if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
    fail(ErrorKind::bad_input, cat(name_, ": damaged or cut gzip data (", reason, ")"));
  }
  end_ += static_cast<std::size_t>(got);
  return got > 0;
}

std::string_view TextSource::look_ahead(std::size_t want) {
  want = std::min(want, kLookAheadBytes);
  while (end_ - at_ < want && refill()) {
  }
  return {buffer_.data() + at_, end_ - at_};
}

bool TextSource::read_line(std::string& out, bool* closed) {
  out.clear();
  if (closed) *closed = false;
  if (peek() == kEnd) return false;
  while (peek() != kEnd) {
    const char* start = buffer_.data() + at_;
    const void* found = std::memchr(start, '\n', end_ - at_);
    std::size_t length = found ? static_cast<std::size_t>(static_cast<const char*>(found) - start) : end_ - at_;
    if (length > kMaxItemBytes - out.size()) {
      fail(ErrorKind::bad_input, cat(where(), ": the line is longer than ", kMaxItemBytes, " bytes"));
    }
    out.append(start, length);
    at_ += length;
    if (!found) continue;
    get();
    if (closed) *closed = true;
    break;
  }
  if (!out.empty() && out.back() == '\r') out.pop_back();
  return true;
}

std::string TextSource::read_all(std::size_t limit) {
  std::string out;
  while (peek() != kEnd) {
    if (end_ - at_ > limit - out.size()) {
      fail(ErrorKind::bad_input, cat(name_, " holds more than ", limit, " bytes of text"));
    }
    const char* start = buffer_.data() + at_;
    line_ += static_cast<std::size_t>(std::count(start, start + (end_ - at_), '\n'));
    out.append(start, end_ - at_);
    at_ = end_;
  }
  return out;
}

}  // namespace reveille::io
