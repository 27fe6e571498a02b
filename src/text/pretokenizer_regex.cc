#include "text/pretokenizer_regex.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <cstring>

#include "base/error.h"
#include "text/unicode.h"

namespace reveille::text {
namespace {

constexpr std::size_t kMaxExpression = 16384;
constexpr std::uint32_t kMatchLimit = 10'000'000;
constexpr std::uint32_t kHeapLimitKib = 65536;

[[noreturn]] void refuse(const std::string& what, const std::string& expression, const std::string& where) {
  fail(ErrorKind::unsupported,
       cat(where, ": the regular expression '", expression, "' uses ", what, ", which is not supported"));
}

// Stops at syntax that Oniguruma and PCRE2 read differently.
void check_syntax(const std::string& text, const std::string& where) {
  bool in_class = false;
  std::size_t class_start = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '\\' && i + 1 < text.size()) {
      char escaped = text[++i];
      if (std::strchr("hHRXKGwWbByYOgkCNQEuUlLo", escaped) && escaped != '\0') refuse(cat("\\", escaped), text, where);
      if ((escaped == 'p' || escaped == 'P') && text.compare(i + 1, 2, "{^") == 0) refuse("\\p{^...}", text, where);
      if ((escaped == 'p' || escaped == 'P') && text.compare(i + 1, 1, "{") == 0)
        i = std::min(text.find('}', i), text.size());
    } else if (in_class) {
      if (c == '[') refuse("a class inside a class", text, where);
      if (c == '&' && text.compare(i, 2, "&&") == 0) refuse("&& in a class", text, where);
      if (c == ']' && i > class_start) in_class = false;
      if (c == ']' && i == class_start) refuse("an empty class", text, where);
    } else if (c == '[') {
      in_class = true;
      class_start = i + (text.compare(i + 1, 1, "^") == 0 ? 2 : 1);
    } else if (c == '(' && text.compare(i, 2, "(?") == 0) {
      // Groups, looks and (?i:...) mean the same in both; other options do not.
      std::string_view rest = std::string_view(text).substr(i + 2);
      bool same = rest.starts_with(':') || rest.starts_with('=') || rest.starts_with('!') || rest.starts_with('>') ||
                  rest.starts_with("<=") || rest.starts_with("<!") || rest.starts_with("i:");
      if (!same) refuse(cat("'(?", rest.substr(0, 3), "'"), text, where);
    } else if (c == '(' && text.compare(i, 2, "(*") == 0) {
      refuse("(*...)", text, where);
    } else if (c == '}' && text.compare(i, 2, "}+") == 0) {
      refuse("{...}+", text, where);  // possessive for PCRE2, a repeated repetition for Ruby
    }
  }
}

// An older character of the same category, of as many bytes: what PCRE2 is shown instead of one
// that it does not know.
char32_t stand_in(char32_t c, std::uint8_t properties) {
  bool four = c >= 0x10000;
  switch (static_cast<Category>(properties & 31)) {
    case Category::Cf: return four ? 0x110BD : 0x200B;
    case Category::Ll: return four ? 0x10428 : 0x10D0;
    case Category::Lu: return four ? 0x10400 : 0x10A0;
    case Category::Lm: return four ? 0x10780 : c;
    case Category::Lo: return four ? (c >= 0x20000 ? 0x20000 : 0x10000) : c;
    case Category::Mc: return four ? 0x11000 : 0x903;
    case Category::Mn: return four ? 0x101FD : 0x816;
    case Category::Nd: return four ? 0x104A0 : c;
    case Category::No: return four ? 0x10107 : c;
    case Category::Pd: return four ? 0x10EAD : c;
    case Category::Po: return four ? 0x10100 : 0x2020;
    case Category::Sm: return four ? 0x1D6C1 : c;
    case Category::So: return four ? 0x10137 : 0x2100;
    default: return c;
  }
}

// The text with stand-ins, of the same length; `changed` is storage for it.
std::string_view with_stand_ins(std::string_view text, std::string& changed) {
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0xE0) {
      ++at;
      continue;
    }
    Decoded d = decode_utf8(text, at);
    std::uint8_t properties = char_properties(d.value);
    if (properties & kNewer) {
      if (changed.empty()) changed = text;
      std::string bytes;
      append_utf8(bytes, stand_in(d.value, properties));
      changed.replace(at, d.length, bytes);
    }
    at += d.length;
  }
  return changed.empty() ? text : std::string_view(changed);
}

}  // namespace

struct Regex::Compiled {
  pcre2_code* code = nullptr;
  pcre2_match_context* context = nullptr;
  ~Compiled() {
    pcre2_code_free(code);
    pcre2_match_context_free(context);
  }
};

Regex::Regex(const std::string& expression, const std::string& where)
    : compiled_(std::make_unique<Compiled>()), expression_(expression), where_(where) {
  if (expression.size() > kMaxExpression) {
    fail(ErrorKind::bad_input,
         cat(where, ": a regular expression of ", expression.size(), " bytes; at most 16,384 are allowed"));
  }
  check_syntax(expression, where);
  int code = 0;
  PCRE2_SIZE offset = 0;
  // Ruby's ^ and $ are those of single lines, always.
  compiled_->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(expression.data()), expression.size(),
                                  PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE, &code, &offset, nullptr);
  if (!compiled_->code) {
    PCRE2_UCHAR message[256] = {};
    pcre2_get_error_message(code, message, sizeof message);
    fail(ErrorKind::bad_input, cat(where, ": the regular expression '", expression, "' is broken at byte ", offset,
                                   ": ", reinterpret_cast<const char*>(message)));
  }
  pcre2_jit_compile(compiled_->code, PCRE2_JIT_COMPLETE);  // where it fails, matching is interpreted
  compiled_->context = pcre2_match_context_create(nullptr);
  if (!compiled_->context) fail(ErrorKind::io, "out of memory");
  pcre2_set_match_limit(compiled_->context, kMatchLimit);
  pcre2_set_heap_limit(compiled_->context, kHeapLimitKib);
}

Regex::~Regex() = default;

void Regex::find(std::string_view text, std::vector<Span>& matches) const {
  std::string storage;
  std::string_view subject = with_stand_ins(text, storage);
  std::unique_ptr<pcre2_match_data, decltype(&pcre2_match_data_free)> data(
      pcre2_match_data_create_from_pattern(compiled_->code, nullptr), pcre2_match_data_free);
  if (!data) fail(ErrorKind::io, "out of memory");
  std::size_t at = 0, last_end = std::string_view::npos;
  while (at <= subject.size()) {
    auto match = [&](std::uint32_t options) {
      return pcre2_match(compiled_->code, reinterpret_cast<PCRE2_SPTR>(subject.data()), subject.size(), at,
                         PCRE2_NO_UTF_CHECK | options, data.get(), compiled_->context);
    };
    int result = match(0);
    if (result == PCRE2_ERROR_JIT_STACKLIMIT) result = match(PCRE2_NO_JIT);
    if (result == PCRE2_ERROR_NOMATCH) return;
    if (result < 0) {
      fail(ErrorKind::bad_input, cat(where_, ": the regular expression '", expression_,
                                     "' takes too long on a text (PCRE2 error ", result, ")"));
    }
    const PCRE2_SIZE* range = pcre2_get_ovector_pointer(data.get());
    if (range[0] == range[1] && range[1] == last_end) {
      at += at < subject.size() ? decode_utf8(subject, at).length : 1;
      continue;
    }
    at = last_end = range[1];
    matches.push_back({static_cast<std::uint32_t>(range[0]), static_cast<std::uint32_t>(range[1])});
  }
}

}  // namespace reveille::text
