// Cuts a normalised text into the words that the model then cuts into tokens.
//
// The parts and their meaning are those of tokenizer.json's "pre_tokenizer" (Hugging Face
// tokenizers). ByteLevel's own alphabet never appears here: words stay bytes, and the model knows
// its vocabulary as bytes.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/json.h"
#include "text/normalizer.h"

namespace reveille::text {

// A text and the words it is cut into, in order. Words need not cover the text.
struct Words {
  Traced text;
  std::vector<Span> spans;
};

class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(Words& words) const = 0;
  // Whether words are bytes of the byte-level alphabet (a ByteLevel part is among the parts).
  virtual bool byte_level() const { return false; }
  // Whether it must know where the words stood in the user's text.
  virtual bool needs_origins() const { return false; }
};

// From the value of "pre_tokenizer" (null: the whole text is one word, a null pointer).
std::unique_ptr<PreTokenizer> make_pre_tokenizer(const Json& value, const std::string& where);

}  // namespace reveille::text
