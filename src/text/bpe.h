// Byte-pair encoding: a word to token ids by merging neighbours, best rank first.
//
// Method: Sennrich et al., "Neural Machine Translation of Rare Words with Subword Units"; order of
// merges, unknown characters and byte fallback as in Hugging Face tokenizers' BPE model, whose ids
// these are.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "text/bpe_tables.h"
#include "text/tokenizer_json.h"

namespace reveille::text {

// Ids of words, and where each token ends, in bytes from the start of its word.
struct Pieces {
  std::vector<std::int32_t> ids;
  std::vector<std::uint32_t> ends;
};

class Bpe {
 public:
  // `byte_level`: words are bytes, and the vocabulary is written in GPT-2's alphabet.
  // Takes vocabulary and merges out of `spec`. Errors name `where`.
  Bpe(TokenizerSpec& spec, bool byte_level, const std::string& where);

  // Appends the tokens of a word. Words are cached, per thread.
  void encode(std::string_view word, Pieces& out) const;

  // Token texts by id, as tokenizer.json spells them; "" where an id is not in use.
  const std::vector<std::string>& tokens() const { return tokens_; }
  std::optional<std::int32_t> id(std::string_view token) const;
  // Pairs of ids, best first.
  const std::vector<std::pair<std::int32_t, std::int32_t>>& merges() const { return merges_; }
  // How many tokens there are (ids may have gaps).
  std::size_t count() const { return count_; }
  const std::optional<std::string>& unk_token() const { return unk_token_; }
  bool fuse_unk() const { return fuse_unk_; }
  bool byte_fallback() const { return byte_fallback_; }
  bool ignore_merges() const { return ignore_merges_; }

 private:
  struct Symbol {
    std::int32_t id;
    std::uint32_t length;
  };
  void read_vocab(TokenizerSpec& spec, const std::string& where);
  void read_merges(const TokenizerSpec& spec, const std::string& where);
  void prepare_bytes(const std::string& where);
  void encode_part(std::string_view word, Pieces& out) const;
  void encode_uncached(std::string_view word, Pieces& out) const;
  void symbols_of(std::string_view word, std::vector<Symbol>& symbols) const;
  // The token of the character (or byte) at `at`, which is `length` bytes long; -1: none.
  std::int32_t initial_id(std::string_view word, std::size_t at, std::uint32_t& length) const;
  // Puts what stands for an unknown character; false where nothing does.
  bool unknown(std::string_view character, std::vector<Symbol>& symbols, std::optional<Symbol>& pending) const;
  void merge_short(std::vector<Symbol>& symbols) const;
  void merge_long(std::vector<Symbol>& symbols) const;

  std::vector<std::string> tokens_;
  TokenIndex index_;
  MergeTable table_;
  std::vector<std::pair<std::int32_t, std::int32_t>> merges_;
  std::size_t count_ = 0;
  bool byte_level_, fuse_unk_, byte_fallback_, ignore_merges_;
  bool cut_at_spaces_ = false;  // no merge crosses from another character to a U+2581 after it
  std::optional<std::string> unk_token_;
  std::int32_t byte_ids_[256];   // of single bytes (byte level) or of "<0x00>" (fallback); -1: none
  std::int32_t ascii_ids_[128];  // of ASCII characters, not at byte level
  std::uint64_t number_;         // tells this model's words from others' in the cache
};

}  // namespace reveille::text
