// tokenizer.json, Hugging Face's file format for tokenizers, read into a plain record and written
// from one. The four processing parts stay JSON here; their own files make sense of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"

namespace reveille::text {

// A token that is looked for in the text before anything else happens to it.
struct AddedToken {
  std::int64_t id = -1;
  std::string content;
  bool single_word = false;  // only where no word character stands beside it
  bool lstrip = false;       // takes the white space on its left
  bool rstrip = false;       // takes the white space on its right
  bool normalized = false;   // looked for in the normalised text, in its own normalised form
  bool special = false;      // a control token, left out by decode(skip_special)
  bool operator==(const AddedToken&) const = default;
};

struct TokenizerSpec {
  Json normalizer, pre_tokenizer, post_processor, decoder;  // null where the file has none
  std::vector<AddedToken> added;
  std::vector<std::pair<std::string, std::int64_t>> vocab;
  std::vector<std::pair<std::string, std::string>> merges;  // best first
  std::optional<std::string> unk_token;
  bool fuse_unk = false;
  bool byte_fallback = false;
  bool ignore_merges = false;
};

// Errors name `where` (the file). Models other than BPE, dropout, and prefixes or suffixes of
// subwords are Error(unsupported).
TokenizerSpec parse_tokenizer_json(std::string_view text, const std::string& where);
std::string write_tokenizer_json(const TokenizerSpec& spec);

// A "post_processor" that puts bos and eos around a text ("" for neither; null for none at all).
Json template_processor(const std::string& bos, const std::string& eos, const TokenizerSpec& spec,
                        const std::string& where);

// For the files that read one of the four parts: {"type": ..., ...}.
std::string part_type(const Json& part, const std::string& where);
bool part_bool(const Json& part, const char* key, const std::string& where);
bool part_bool(const Json& part, const char* key, bool otherwise, const std::string& where);
const Json& part_array(const Json& part, const char* key, const std::string& where);
// A "Sequence" in a "Sequence" in a ... ends here.
void check_part_depth(int depth, const std::string& where);
[[noreturn]] void unsupported_part(const std::string& part, const std::string& type, const std::string& where);

}  // namespace reveille::text
