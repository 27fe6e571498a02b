// A second of damage to valid files: whatever the bytes, reading ends in tensors or in an Error.
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <chrono>

#include "base/files.h"
#include "base/rng.h"
#include "io/gguf.h"
#include "io/safetensors.h"
#include "io/tensor_files_testing.h"

namespace reveille::io {
namespace {

using namespace testing;  // NOLINT

void read_all(TensorSource& source) {
  for (const auto& name : source.names()) {
    try {
      source.load(name);
    } catch (const Error&) {
    }
  }
}

void read_gguf(const std::string& bytes) {
  auto file = GgufFile::from_memory(as_bytes(bytes), "f");
  file->metadata().to_json();
  for (const auto& key : file->metadata().keys()) {
    try {
      file->metadata().find_strings(key);
    } catch (const Error&) {
    }
  }
  read_all(*file);
}

void read_safetensors(const std::string& bytes) { read_all(*SafetensorsSource::from_memory(as_bytes(bytes), "f")); }

// A few flipped bits, bytes set to what lengths and offsets break on, a cut, or bytes moved.
std::string damaged(std::string bytes, Rng& rng) {
  constexpr char kEdges[] = {'\x00', '\xff', '\x7f', '\x80', '\x01', '{', '"', ','};
  for (std::uint64_t i = rng.below(4); i < 4 && !bytes.empty(); ++i) {
    std::size_t at = rng.below(rng.below(2) ? std::min<std::size_t>(bytes.size(), 256) : bytes.size());
    switch (rng.below(5)) {
      case 0: bytes[at] = static_cast<char>(bytes[at] ^ (1 << rng.below(8))); break;
      case 1: bytes[at] = kEdges[rng.below(sizeof kEdges)]; break;
      case 2: bytes.resize(at); break;
      case 3: bytes.insert(at, bytes.substr(rng.below(bytes.size()), rng.below(16))); break;
      default: bytes.replace(at, std::min<std::size_t>(8, bytes.size() - at), 8, kEdges[rng.below(3)]); break;
    }
  }
  return bytes;
}

void damage_for_a_while(const std::string& bytes, void (*read)(const std::string&), std::uint64_t seed) {
  auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(300);
  Rng rng(seed, "mutation");
  std::uint64_t runs = 0, errors = 0;
  for (; std::chrono::steady_clock::now() < end; ++runs) {
    std::string broken = damaged(bytes, rng);
    try {
      read(broken);
    } catch (const Error& error) {
      ASSERT_NE(error.kind(), ErrorKind::internal) << error.message();
      ++errors;
    }
  }
  EXPECT_GT(errors, 0U);
  EXPECT_LT(errors, runs);  // some damage harms nobody, or this test reads nothing
}

TEST(Mutation, GgufMetadata) { damage_for_a_while(read_file(fixture("metadata.gguf")), read_gguf, 1); }
TEST(Mutation, GgufTensors) { damage_for_a_while(read_file(fixture("formats.gguf")), read_gguf, 2); }
TEST(Mutation, Safetensors) { damage_for_a_while(read_file(fixture("dtypes.safetensors")), read_safetensors, 3); }

}  // namespace
}  // namespace reveille::io
