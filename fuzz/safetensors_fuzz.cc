// rooms: io
// Bytes as a safetensors file: parsed, and its tensors loaded. Anything but an Error is a bug.
#include <cstddef>
#include <cstdint>

#include "base/error.h"
#include "io/safetensors.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reveille;
  try {
    auto file =
        io::SafetensorsSource::from_memory({reinterpret_cast<const std::byte*>(data), size}, "fuzz.safetensors");
    for (const auto& name : file->names()) (void)file->load(name);
    file->verify_all_used();
  } catch (const Error&) {
  }
  return 0;
}
