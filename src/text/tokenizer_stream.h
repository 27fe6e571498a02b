// Decoding while a model writes: token by token, whole characters only.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "text/tokenizer.h"

namespace reveille::text {

// What comes out of push() and finish(), put together, is what decode() gives for all ids at once
// (but for bytes that are no UTF-8, where a decoder with byte fallback may show other numbers of U+FFFD).
class TextStream {
 public:
  explicit TextStream(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special = true);
  // The text that this id completes; "" while a character is not complete.
  std::string push(std::int32_t id);
  // What is left over at the end, incomplete characters as U+FFFD.
  std::string finish();

 private:
  std::shared_ptr<const Tokenizer> tokenizer_;
  bool skip_special_;
  std::vector<std::int32_t> ids_;  // the last ids whose text was given out, then those whose text was not
  std::size_t given_ids_ = 0;
  std::string given_;  // text of the first given_ids_ ids
};

}  // namespace reveille::text
