// Text to token ids and back, with the ids that Hugging Face tokenizers gives.
//
// Byte-level BPE (GPT-2, Llama 3, Qwen, SmolLM) and SentencePiece-style BPE with byte fallback
// (Llama 2, Phi-3, Gemma), from tokenizer.json or from GGUF metadata. Const use is thread-safe.
// Bytes that are not UTF-8 are read as U+FFFD, as Python's errors="replace" does; offsets then
// count bytes of the repaired text (repair_utf8).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/bpe.h"
#include "text/gguf_vocab.h"
#include "text/normalizer.h"
#include "text/pretokenizer.h"
#include "text/tokenizer_added.h"
#include "text/tokenizer_decoder.h"
#include "text/tokenizer_json.h"

namespace reveille::text {

struct EncodeOptions {
  bool add_special_tokens = false;  // what the tokenizer puts around a text, such as <bos>
  AddedTokens added = AddedTokens::recognise;
};

struct Encoding {
  std::vector<std::int32_t> ids;
  // offsets[i] is the byte range of the text that ids[i] stands for. Ranges are in order; tokens
  // that stand for no text (<bos>, a prefixed space) have empty ones; characters that were combined
  // by normalisation share one.
  std::vector<Span> offsets;
};

// The names that tokenizer_config.json gives to special tokens; "" where there is none.
struct SpecialNames {
  std::string bos, eos, pad, unk;
};

class Tokenizer {
 public:
  // The content of a tokenizer.json. Errors name `where`.
  static std::shared_ptr<const Tokenizer> from_json_text(std::string_view text, const std::string& where,
                                                         const SpecialNames& names = {});
  // The same for a small one that is at hand as Json (large vocabularies are slow to hold as Json).
  static std::shared_ptr<const Tokenizer> from_json(const Json& tokenizer_json, const std::string& where,
                                                    const SpecialNames& names = {});
  // A Hugging Face folder: tokenizer.json, and what tokenizer_config.json or special_tokens_map.json
  // say about special tokens and about adding them.
  static std::shared_ptr<const Tokenizer> from_folder(const std::filesystem::path& folder);
  // Throws Error(unsupported) for models and pre-tokenizer names that are not known.
  static std::shared_ptr<const Tokenizer> from_gguf(const GgufVocab& vocab, const std::string& where);

  Tokenizer(TokenizerSpec spec, const SpecialNames& names, const std::string& where);

  std::vector<std::int32_t> encode(std::string_view text, const EncodeOptions& options = {}) const;
  Encoding encode_with_offsets(std::string_view text, const EncodeOptions& options = {}) const;
  // Ids outside the vocabulary are passed over. The text is valid UTF-8 (TextStream decodes token by token).
  std::string decode(const std::vector<std::int32_t>& ids, bool skip_special = false) const;

  // One more than the largest id (ids may have gaps).
  std::int32_t vocab_size() const { return vocab_size_; }
  // The text of a token as tokenizer.json spells it; "" where an id is not in use.
  const std::string& token(std::int32_t id) const;
  // The bytes that a token stands for within a text; they need not be whole characters.
  std::string token_bytes(std::int32_t id) const;
  std::optional<std::int32_t> id(std::string_view token) const;

  std::optional<std::int32_t> bos_id() const { return bos_; }
  std::optional<std::int32_t> eos_id() const { return eos_; }
  std::optional<std::int32_t> pad_id() const { return pad_; }
  std::optional<std::int32_t> unk_id() const { return unk_; }
  bool is_special(std::int32_t id) const;
  bool is_added(std::int32_t id) const;
  // Whether add_special_tokens begins a text with <bos>, ends it with <eos>.
  bool adds_bos() const { return bos_ && !prefix_.empty() && prefix_.front() == *bos_; }
  bool adds_eos() const { return eos_ && !suffix_.empty() && suffix_.back() == *eos_; }
  const std::vector<AddedToken>& added_tokens() const { return added_; }

  // tokenizer.json as text: loaded by Hugging Face tokenizers it gives the same ids.
  std::string to_json() const;
  // tokenizer_config.json; an empty template is left out.
  Json config_json(const std::string& chat_template) const;
  // SHA-256 of to_json(): equal for tokenizers that do the same, whatever file they came from.
  std::string hash() const;
  // For writing GGUF. Throws Error(unsupported) where GGUF has no name for what the tokenizer does.
  GgufVocab to_gguf_vocab() const;

 private:
  void place_added(std::vector<AddedToken> added, const std::string& where);
  void read_processor(const Json& processor, const std::string& where, int depth);
  std::vector<std::int32_t> template_piece(const Json& piece, const Json& special, const std::string& where) const;
  std::optional<std::int32_t> named(const std::string& name, const char* key, const std::string& where) const;
  Encoding run(std::string_view text, const EncodeOptions& options, bool offsets) const;
  void encode_stretch(std::string_view text, Span span, const EncodeOptions& options, bool offsets,
                      Encoding& out) const;
  void encode_words(Traced text, bool offsets, Encoding& out) const;
  TokenizerSpec full_spec() const;

  Json normalizer_json_, pre_tokenizer_json_, post_processor_json_, decoder_json_;
  std::unique_ptr<Normalizer> normalizer_;
  std::unique_ptr<PreTokenizer> pre_tokenizer_;
  std::unique_ptr<Decoder> decoder_;
  std::optional<Bpe> bpe_;
  std::vector<AddedToken> added_;          // by id
  std::vector<std::string> added_texts_;   // what decoding sees of them: normalised where they are
  std::vector<std::int32_t> added_of_id_;  // index into added_, or -1
  AddedMatcher raw_matcher_, normalized_matcher_;
  std::vector<std::int32_t> prefix_, suffix_;
  std::optional<std::int32_t> bos_, eos_, pad_, unk_;
  std::int32_t vocab_size_ = 0;
};

}  // namespace reveille::text
