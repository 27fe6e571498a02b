// A file that is carried inside the program (cmake/embed.cmake).
#pragma once

#include <cstddef>
#include <string_view>

namespace reveille {

struct Asset {
  std::string_view name;
  const char* begin;
  const char* end;
  std::string_view text() const { return {begin, static_cast<std::size_t>(end - begin)}; }
};

}  // namespace reveille
