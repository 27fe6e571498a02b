// Reads a memory span from front to back and never past its end.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/error.h"

namespace reveille::io {

class ByteReader {
 public:
  // `where` is the file's name, for errors.
  ByteReader(std::span<const std::byte> bytes, std::string where) : bytes_(bytes), where_(std::move(where)) {}

  std::uint64_t offset() const { return offset_; }
  std::uint64_t remaining() const { return bytes_.size() - offset_; }
  const std::string& where() const { return where_; }
  // What has not been read yet.
  std::span<const std::byte> rest() const { return bytes_.subspan(offset_); }

  // The next `count` bytes; `what` names them when the file ends before.
  std::span<const std::byte> take(std::uint64_t count, std::string_view what) {
    if (count > remaining()) {
      fail(ErrorKind::bad_input,
           cat(where_, ": the file ends within ", what, " (", count, " bytes at offset ", offset_, ", ", remaining(),
               " are left)"),
           "the file is cut short or damaged: copy or download it again");
    }
    auto taken = bytes_.subspan(offset_, count);
    offset_ += count;
    return taken;
  }

  // A little-endian number.
  template <class T>
  T number(std::string_view what) {
    static_assert(std::endian::native == std::endian::little && std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, take(sizeof(T), what).data(), sizeof(T));
    return value;
  }

 private:
  std::span<const std::byte> bytes_;
  std::string where_;
  std::uint64_t offset_ = 0;
};

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace reveille::io
