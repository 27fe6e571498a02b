// Patterns that cut or replace text: a literal, or a regular expression as tokenizer.json has them
// (Oniguruma's Ruby syntax).
//
// The expressions of GPT-2, Llama 3 and Qwen are recognised and run as scanners written by hand
// (pretokenizer_scan.cc). Others run on PCRE2 with limits on matching; syntax that PCRE2 reads
// differently is refused, and characters newer than its Unicode tables are shown to it as older
// ones of the same category.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "text/normalizer.h"

namespace reveille::text {

// Returns the end of the match that begins at `at`; such patterns match at every position.
using Scanner = std::size_t (*)(std::string_view text, std::size_t at);

// The scanner for an expression that is known word for word, or null.
Scanner known_scanner(std::string_view expression);

// The expressions of the known families, for vocabularies that name them only (GGUF).
extern const char* const kGpt2Expression;
extern const char* const kLlama3Expression;
extern const char* const kQwen2Expression;

class Regex;

class Pattern {
 public:
  // {"String": "..."} or {"Regex": "..."}. Throws Error(unsupported) for expressions that cannot be
  // run faithfully, Error(bad_input) for broken ones.
  static Pattern from_json(const Json& value, const std::string& where);
  static Pattern literal(std::string text);
  static Pattern expression(const std::string& text, const std::string& where);

  // Appends the matches in text, in order and without overlap.
  void find(std::string_view text, std::vector<Span>& matches) const;

 private:
  std::string literal_;
  Scanner scanner_ = nullptr;
  std::shared_ptr<const Regex> regex_;
};

}  // namespace reveille::text
