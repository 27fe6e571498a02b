// Bytes as a tokenizer.json and, after a zero byte, a text for it. A broken file is an Error; a
// good one encodes any text to ids that it has, and decodes them.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "text/tokenizer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reveille;
  std::string bytes(reinterpret_cast<const char*>(data), size);
  std::string text = "Hello  w\xc3\xb6rld 123\n<s>\xff\xf0\x9f\x98\x80";
  if (auto zero = bytes.find('\0'); zero != std::string::npos) {
    text = bytes.substr(zero + 1);
    bytes.resize(zero);
  }
  try {
    auto tokenizer = text::Tokenizer::from_json_text(bytes, "fuzz.json");
    auto ids = tokenizer->encode(text);
    for (auto id : ids) {
      if (id < 0 || id >= tokenizer->vocab_size()) std::abort();
    }
    (void)tokenizer->decode(ids);
    if (tokenizer->encode_with_offsets(text).ids != ids) std::abort();
    (void)tokenizer->hash();
  } catch (const Error&) {
  }
  return 0;
}
