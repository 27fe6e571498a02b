// rooms: io
// Bytes as a GGUF file: parsed, listed, its metadata decoded, its tensors loaded. Anything but
// an Error is a bug.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "io/gguf.h"

namespace {

// An Error of one part must not keep the others from being read.
template <class Work>
void attempt(const Work& work) {
  try {
    work();
  } catch (const reveille::Error&) {
  }
}

void read_all(reveille::io::GgufFile& file) {
  const auto& metadata = file.metadata();
  attempt([&] { (void)metadata.to_json().dump(); });
  for (const auto& key : metadata.keys()) {
    attempt([&] { (void)metadata.find_string(key); });
    attempt([&] { (void)metadata.find_i64(key); });
    attempt([&] { (void)metadata.find_f64(key); });
    attempt([&] { (void)metadata.find_strings(key); });
    attempt([&] { (void)metadata.find_floats(key); });
    attempt([&] { (void)metadata.find_ints(key); });
  }
  for (const auto& name : file.names()) attempt([&] { (void)file.load(name); });
  attempt([&] { file.verify_all_used(); });
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using reveille::io::GgufFile;
  attempt([&] { read_all(*GgufFile::from_memory({reinterpret_cast<const std::byte*>(data), size}, "fuzz.gguf")); });
  return 0;
}
