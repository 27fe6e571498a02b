// Token texts back to text: tokenizer.json's "decoder" (Hugging Face tokenizers).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"

namespace reveille::text {

class Decoder {
 public:
  virtual ~Decoder() = default;
  virtual void apply(std::vector<std::string>& tokens) const = 0;
  // Whether it does no more than turn GPT-2's alphabet into bytes.
  virtual bool byte_level() const { return false; }
};

// From the value of "decoder" (null: tokens are joined by spaces, a null pointer).
std::unique_ptr<Decoder> make_decoder(const Json& value, const std::string& where);

// What one token's text contributes at byte level: its bytes, or itself outside the alphabet.
void append_byte_level(std::string& out, const std::string& token);

}  // namespace reveille::text
