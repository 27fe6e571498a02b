// rooms: io
// Bytes as a GGUF file: parsed, listed, its metadata decoded, its tensors loaded. Anything but
// an Error is a bug.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "io/gguf.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reveille;
  try {
    auto file = io::GgufFile::from_memory({reinterpret_cast<const std::byte*>(data), size}, "fuzz.gguf");
    (void)file->metadata().to_json().dump();
    for (const auto& key : file->metadata().keys()) {
      try {
        (void)file->metadata().find_strings(key);
      } catch (const Error&) {
        (void)file->metadata().find_floats(key);
      }
    }
    for (const auto& name : file->names()) (void)file->load(name);
    file->verify_all_used();
  } catch (const Error&) {
  }
  return 0;
}
