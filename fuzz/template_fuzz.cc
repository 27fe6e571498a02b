// Bytes as a chat template: parsed, rendered, its turns and spans learned, under tight limits.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error.h"
#include "text/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace reveille;
  const text::jinja::Limits limits{
      .steps = 20'000, .output_bytes = 1 << 16, .made_bytes = 1 << 22, .depth = 100, .template_bytes = 1 << 16};
  const Conversation talk = {
      {"system", "Be brief."}, {"user", " Hi {{ there }} "}, {"assistant", "<think>a</think>\nHo"}};
  text::RenderOptions options;
  options.bos_token = "<s>";
  options.eos_token = "</s>";
  try {
    text::ChatTemplate chat({reinterpret_cast<const char*>(data), size}, "fuzz.jinja", limits);
    try {
      const std::string plain = chat.render(talk, options);
      // Following who wrote what must not change what is written.
      if (chat.render_spans(talk, options).text != plain) std::abort();
    } catch (const Error&) {
    }
    options.add_generation_prompt = true;
    (void)chat.turn_format(options);
  } catch (const Error&) {
  }
  return 0;
}
