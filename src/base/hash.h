// SHA-256, for content keys and for checking files.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace reveille {

std::string sha256_hex(std::string_view bytes);
std::string sha256_file(const std::filesystem::path& path);
// The first 8 bytes of the SHA-256, as a number (for random streams, not for security).
std::uint64_t hash64(std::string_view bytes);

}  // namespace reveille
