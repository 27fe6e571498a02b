// Texts as the filters, ids and judges of this room compare them: in lower case, without punctuation.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/conversation.h"

namespace reveille::organism {

// The words of a text, in lower case and without punctuation. Scripts that put no spaces between words
// (Chinese, Japanese, Korean, Thai) count every character as a word. Bad UTF-8 is repaired first.
std::vector<std::string> words_of(std::string_view text);

// words_of, joined by single spaces: equal for texts that differ in case, punctuation or white space only.
std::string normal_text(std::string_view text);

struct CharacterCounts {
  std::size_t letters = 0;
  std::size_t ascii_letters = 0;
  std::size_t visible = 0;      // everything but white space
  std::size_t total = 0;        // code points
  std::size_t longest_run = 0;  // of one and the same character that is not white space
  bool broken = false;          // bad UTF-8, U+FFFD or a control character
};
CharacterCounts count_characters(std::string_view text);

// The content of the last user message; Error(bad_input) when there is none.
const std::string& last_user_text(const Conversation& prompt);

// The first words of that message, on one line, for talk about it.
std::string first_words(const Conversation& prompt, std::size_t count);

// Names a prompt in logs, results and random streams: 16 hexadecimal digits of the SHA-256 of roles and contents.
std::string prompt_id(const Conversation& prompt);

}  // namespace reveille::organism
