#define PCRE2_CODE_UNIT_WIDTH 8
#include "io/pattern.h"

#include <pcre2.h>

#include "base/error.h"

namespace reveille::io {
namespace {

constexpr std::size_t kMaxExpressionBytes = 10'000;
constexpr std::uint32_t kMatchLimit = 1'000'000;  // steps; a sane expression takes hundreds

struct Free {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
};

}  // namespace

struct Pattern::Compiled {
  std::string expression, where;
  std::unique_ptr<pcre2_code, Free> code;
};

Pattern::Pattern(const std::string& expression, const std::string& where)
    : compiled_(std::make_unique<Compiled>(Compiled{expression, where, nullptr})) {
  if (expression.size() > kMaxExpressionBytes) {
    fail(ErrorKind::bad_input, cat(where, ": a regular expression is longer than ", kMaxExpressionBytes, " bytes"));
  }
  int code = 0;
  PCRE2_SIZE at = 0;
  auto text = reinterpret_cast<PCRE2_SPTR>(expression.data());
  constexpr std::uint32_t kOptions = PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C;
  compiled_->code.reset(pcre2_compile(text, expression.size(), kOptions, &code, &at, nullptr));
  if (compiled_->code) return;
  PCRE2_UCHAR reason[256] = {};
  pcre2_get_error_message(code, reason, sizeof reason);
  fail(ErrorKind::bad_input, cat(where, ": the regular expression '", expression,
                                 "' is invalid: ", reinterpret_cast<const char*>(reason), " (at character ", at, ")"));
}

Pattern::~Pattern() = default;
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;

bool Pattern::fits(std::string_view text) const {
  std::unique_ptr<pcre2_match_data, Free> data(pcre2_match_data_create(1, nullptr));
  std::unique_ptr<pcre2_match_context, Free> context(pcre2_match_context_create(nullptr));
  pcre2_set_match_limit(context.get(), kMatchLimit);
  auto subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  int result = pcre2_match(compiled_->code.get(), subject, text.size(), 0, 0, data.get(), context.get());
  if (result >= 0) return true;
  if (result == PCRE2_ERROR_NOMATCH) return false;
  fail(ErrorKind::bad_input, cat(compiled_->where, ": the regular expression '", compiled_->expression,
                                 "' takes too long to match or cannot be matched"));
}

}  // namespace reveille::io
