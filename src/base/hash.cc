#include "base/hash.h"

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "base/error.h"
#include "base/files.h"

namespace reveille {
namespace {

using Digest = std::array<unsigned char, 32>;

Digest sha256(const void* data, std::size_t size) {
  Digest digest{};
  unsigned int length = 0;
  if (EVP_Digest(data, size, digest.data(), &length, EVP_sha256(), nullptr) != 1 || length != 32) {
    fail(ErrorKind::internal, "SHA-256 is not available in this OpenSSL");
  }
  return digest;
}

std::string hex(const Digest& digest) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  out.reserve(64);
  for (unsigned char byte : digest) {
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace

std::string sha256_hex(std::string_view bytes) { return hex(sha256(bytes.data(), bytes.size())); }

std::string sha256_file(const std::filesystem::path& path) {
  MappedFile file(path);
  return hex(sha256(file.data(), file.size()));
}

std::uint64_t hash64(std::string_view bytes) {
  Digest digest = sha256(bytes.data(), bytes.size());
  std::uint64_t value = 0;
  for (int i = 0; i < 8; ++i) value = value << 8 | digest[static_cast<std::size_t>(i)];
  return value;
}

}  // namespace reveille
