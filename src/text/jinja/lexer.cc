#include "text/jinja/lexer.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>

#include "base/error.h"
#include "base/strings.h"
#include "text/jinja/literal.h"
#include "text/jinja/unicode.h"

namespace reveille::text::jinja {
namespace {

// Line ends become \n, and one line end at the very end of the template is dropped.
std::string normalise(std::string_view source) {
  std::string out;
  out.reserve(source.size());
  for (std::size_t i = 0; i < source.size(); ++i) {
    if (source[i] != '\r') {
      out += source[i];
    } else {
      out += '\n';
      if (i + 1 < source.size() && source[i + 1] == '\n') ++i;
    }
  }
  if (!out.empty() && out.back() == '\n') out.pop_back();
  return out;
}

class Lexer {
 public:
  explicit Lexer(std::string_view source) : source_(normalise(source)) {}

  std::vector<Token> run() {
    while (at_ < source_.size()) root();
    push(TokenKind::end, "");
    return std::move(tokens_);
  }

 private:
  // Data up to the next tag, then the tag.
  void root() {
    std::size_t tag = find_tag();
    if (tag == std::string::npos) {
      push_data(source_.substr(at_));
      at_ = source_.size();
      return;
    }
    std::string data = source_.substr(at_, tag - at_);
    char type = source_[tag + 1];
    std::size_t after = tag + 2;
    char sign = sign_at(after);
    strip(data, sign, type != '{');
    push_data(std::move(data));
    line_ = line_of(tag);
    at_ = after + (sign ? 1 : 0);
    if (type == '#') {
      comment();
    } else if (type == '{') {
      push(TokenKind::output_begin, "{{");
      inside("}}", TokenKind::output_end);
    } else if (!raw(after)) {
      push(TokenKind::block_begin, "{%");
      inside("%}", TokenKind::block_end);
    }
  }

  std::size_t find_tag() const {
    for (std::size_t i = at_; i + 1 < source_.size(); ++i) {
      if (source_[i] == '{' && (source_[i + 1] == '{' || source_[i + 1] == '%' || source_[i + 1] == '#')) return i;
    }
    return std::string::npos;
  }

  char sign_at(std::size_t at) const {
    char c = at < source_.size() ? source_[at] : '\0';
    return c == '-' || c == '+' ? c : '\0';
  }

  // What a tag takes away from the data before it: with "-" all white space; else (lstrip_blocks,
  // not for output) the white space of its own line.
  void strip(std::string& data, char sign, bool is_block) const {
    if (sign == '-') {
      while (!data.empty()) {
        std::size_t end = data.size();
        if (!is_space(previous_char(data, end))) break;
        data.resize(end);
      }
      return;
    }
    if (sign == '+' || !is_block) return;
    std::size_t newline = data.rfind('\n');
    std::size_t begin = newline == std::string::npos ? 0 : newline + 1;
    if (newline == std::string::npos && !line_starting_) return;
    for (std::size_t i = begin; i < data.size();) {
      if (!is_space(next_char(data, i))) return;
    }
    data.resize(begin);
  }

  // The end of a tag at `at`: optional sign, closing, and what they swallow. Returns the position
  // after it, or npos when there is no such end here.
  std::size_t tag_end(std::size_t at, std::string_view closing) const {
    char sign = sign_at(at);
    if (sign == '+' && closing == "}}") sign = '\0';
    std::size_t after = at + (sign ? 1 : 0);
    if (source_.compare(after, 2, closing) != 0) return std::string::npos;
    after += 2;
    if (sign == '-') return skip_space(after);
    if (sign == '\0' && closing != "}}" && after < source_.size() && source_[after] == '\n') ++after;
    return after;
  }

  std::size_t skip_space(std::size_t at) const {
    while (at < source_.size()) {
      std::size_t next = at;
      if (!is_space(next_char(source_, next))) break;
      at = next;
    }
    return at;
  }

  void close_at(std::size_t end) {
    line_starting_ = end > 0 && source_[end - 1] == '\n';
    at_ = end;
  }

  void comment() {
    for (std::size_t i = at_; i < source_.size(); ++i) {
      std::size_t end = tag_end(i, "#}");
      if (end != std::string::npos) return close_at(end);
    }
    fail_tag("a comment is not closed (expected '#}')");
  }

  // {% raw %} ... {% endraw %}; `at` is after "{%".
  bool raw(std::size_t at) {
    std::size_t begin = keyword_tag(at, "raw", false);
    if (begin == std::string::npos) return false;
    bool starts_line = source_[begin - 1] == '\n';
    for (std::size_t i = begin; i + 1 < source_.size(); ++i) {
      if (source_[i] != '{' || source_[i + 1] != '%') continue;
      std::size_t end = keyword_tag(i + 2, "endraw", true);
      if (end == std::string::npos) continue;
      std::string data = source_.substr(begin, i - begin);
      line_starting_ = starts_line;
      strip(data, sign_at(i + 2), true);
      push_data(std::move(data));
      close_at(end);
      return true;
    }
    fail_tag("'raw' is not closed (expected '{% endraw %}')");
  }

  std::size_t keyword_tag(std::size_t at, std::string_view keyword, bool trims) const {
    if (sign_at(at)) ++at;
    at = skip_space(at);
    if (source_.compare(at, keyword.size(), keyword) != 0) return std::string::npos;
    at = skip_space(at + keyword.size());
    if (trims) return tag_end(at, "%}");
    if (source_.compare(at, 3, "-%}") == 0) return skip_space(at + 3);
    return source_.compare(at, 2, "%}") == 0 ? at + 2 : std::string::npos;
  }

  // Tokens until `closing` stands where all brackets are closed.
  void inside(std::string_view closing, TokenKind end_kind) {
    std::string brackets;
    for (;;) {
      if (brackets.empty()) {
        std::size_t end = tag_end(at_, closing);
        if (end != std::string::npos) {
          line_ = line_of(at_);
          push(end_kind, std::string(closing));
          return close_at(end);
        }
      }
      at_ = skip_space(at_);
      if (at_ >= source_.size()) fail_tag(cat("the template ends inside a tag (expected '", closing, "')"));
      if (brackets.empty() && tag_end(at_, closing) != std::string::npos) continue;
      line_ = line_of(at_);
      try {
        token(brackets);
      } catch (const Error& error) {
        fail(error.kind(), cat("line ", line_, ": ", error.message()), error.hint());
      }
    }
  }

  void token(std::string& brackets) {
    char c = source_[at_];
    if (std::isdigit(static_cast<unsigned char>(c))) {
      Token& token = push(TokenKind::number, "");
      token.number = read_number(source_, at_);
    } else if (c == '\'' || c == '"') {
      push(TokenKind::text, read_string(source_, at_));
    } else if (!name()) {
      symbol(brackets);
    }
  }

  bool name() {
    std::size_t end = at_;
    while (end < source_.size()) {
      std::size_t next = end;
      if (!is_name_char(next_char(source_, next))) break;
      end = next;
    }
    if (end == at_) return false;
    push(TokenKind::name, source_.substr(at_, end - at_));
    at_ = end;
    return true;
  }

  void symbol(std::string& brackets) {
    static constexpr std::array<std::string_view, 6> kDouble = {"//", "**", "==", "!=", ">=", "<="};
    std::string two = source_.substr(at_, 2);
    if (std::find(kDouble.begin(), kDouble.end(), two) != kDouble.end()) {
      push(TokenKind::symbol, two);
      at_ += 2;
      return;
    }
    char c = source_[at_];
    if (std::string_view("+-/*%~[](){}><=.:|,;").find(c) == std::string_view::npos) {
      std::size_t end = at_;
      next_char(source_, end);
      fail(ErrorKind::bad_input, cat("unexpected character '", source_.substr(at_, end - at_), "'"));
    }
    balance(c, brackets);
    push(TokenKind::symbol, std::string(1, c));
    ++at_;
  }

  void balance(char c, std::string& brackets) {
    constexpr std::size_t kMaxOpen = 200;
    if (c == '(') brackets += ')';
    if (c == '[') brackets += ']';
    if (c == '{') brackets += '}';
    if (brackets.size() > kMaxOpen)
      fail(ErrorKind::bad_input, cat("brackets nested deeper than the limit of ", kMaxOpen));
    if (c != ')' && c != ']' && c != '}') return;
    if (brackets.empty()) fail(ErrorKind::bad_input, cat("unexpected '", c, "'"));
    if (brackets.back() != c) fail(ErrorKind::bad_input, cat("unexpected '", c, "', expected '", brackets.back(), "'"));
    brackets.pop_back();
  }

  Token& push(TokenKind kind, std::string text) {
    tokens_.push_back(Token{kind, line_, std::move(text), {}});
    return tokens_.back();
  }

  void push_data(std::string data) {
    line_ = line_of(at_);
    if (!data.empty()) push(TokenKind::data, std::move(data));
  }

  // Lines are counted forward only.
  int line_of(std::size_t at) {
    if (at > counted_at_) {
      counted_line_ += static_cast<int>(
          std::count(source_.begin() + static_cast<long>(counted_at_), source_.begin() + static_cast<long>(at), '\n'));
      counted_at_ = at;
    }
    return counted_line_;
  }

  [[noreturn]] void fail_tag(const std::string& message) {
    fail(ErrorKind::bad_input, cat("line ", line_, ": ", message));
  }

  std::string source_;
  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t counted_at_ = 0;
  int counted_line_ = 1;
  int line_ = 1;
  bool line_starting_ = true;
};

}  // namespace

std::vector<Token> tokenize(std::string_view source) { return Lexer(source).run(); }

}  // namespace reveille::text::jinja
