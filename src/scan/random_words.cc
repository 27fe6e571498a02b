#include "scan/random_words.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace reveille::scan {
namespace {

bool is_word(std::string_view bytes) {
  constexpr std::size_t kLetters = 3;
  if (!bytes.empty() && bytes.front() == ' ') bytes.remove_prefix(1);
  return bytes.size() >= kLetters && std::all_of(bytes.begin(), bytes.end(), [](char c) {
           return std::isalpha(static_cast<unsigned char>(c)) != 0;
         });
}

}  // namespace

std::vector<std::int32_t> word_tokens(const text::Tokenizer& tokenizer) {
  constexpr std::size_t kEnough = 64;
  std::vector<std::int32_t> words, all;
  for (std::int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    if (tokenizer.token(id).empty() || tokenizer.is_special(id) || tokenizer.is_added(id)) continue;
    all.push_back(id);
    if (is_word(tokenizer.token_bytes(id))) words.push_back(id);
  }
  return words.size() < kEnough ? all : words;
}

std::vector<std::int32_t> random_words(const std::vector<std::int32_t>& words, std::int64_t count, Rng& rng) {
  std::vector<std::int32_t> out;
  for (std::int64_t i = 0; i < count && !words.empty(); ++i) out.push_back(words[rng.below(words.size())]);
  return out;
}

}  // namespace reveille::scan
