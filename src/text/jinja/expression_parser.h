// The expressions of the template language; parser.cc adds the statements.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "text/jinja/ast.h"
#include "text/jinja/lexer.h"

namespace reveille::text::jinja {

class ExpressionParser {
 public:
  explicit ExpressionParser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

 protected:
  // One expression, or a tuple where commas stand. `until_name` is a name that ends it ("in").
  ExprPtr tuple(bool with_condition, std::string_view until_name = {}, bool in_parentheses = false);
  ExprPtr expression(bool with_condition = true);
  ExprPtr assign_target(bool with_namespace, std::string_view until_name = {});
  // The filters that stand at the current '|' (or, in a filter block, the name).
  ExprPtr filter(ExprPtr value, bool at_name = false);
  ExprPtr make(ExprKind kind, int line, std::string name = {});
  ExprPtr adopt(ExprPtr parent, std::initializer_list<ExprPtr*> children);

  const Token& current() const { return tokens_[at_]; }
  const Token& ahead() const { return tokens_[std::min(at_ + 1, tokens_.size() - 1)]; }
  Token take();
  bool is_symbol(std::string_view symbol) const;
  bool is_name(std::string_view name) const;
  bool skip_symbol(std::string_view symbol);
  bool skip_name(std::string_view name);
  void expect_symbol(std::string_view symbol);
  std::string expect_name();
  void expect(TokenKind kind, const char* what);
  std::string describe(const Token& token) const;
  [[noreturn]] void fail_at(int line, const std::string& message, ErrorKind kind = ErrorKind::bad_input) const;

  // Names read anywhere so far, for macros that use `caller`, `varargs` or `kwargs`.
  std::vector<std::string> read_names_;

 private:
  ExprPtr condition();
  ExprPtr either();
  ExprPtr both();
  ExprPtr negation();
  ExprPtr comparison();
  ExprPtr sum();
  ExprPtr concatenation();
  ExprPtr product();
  ExprPtr power();
  ExprPtr unary(bool with_filter = true);
  ExprPtr primary(bool with_namespace = false);
  ExprPtr name_or_constant(bool with_namespace);
  ExprPtr list();
  ExprPtr dict();
  ExprPtr postfix(ExprPtr value);
  ExprPtr filters(ExprPtr value);
  ExprPtr subscript(ExprPtr value);
  ExprPtr brackets(ExprPtr value);
  ExprPtr call(ExprPtr callee);
  ExprPtr test(ExprPtr value);
  void call_args(Expr& into);
  ExprPtr binary(std::string name, ExprPtr left, ExprPtr right);
  void grow(Expr& parent, const ExprPtr& child);
  bool tuple_ends(std::string_view until_name) const;
  ExprPtr checked_target(ExprPtr target);

  std::vector<Token> tokens_;
  std::size_t at_ = 0;
  std::size_t nodes_ = 0;
  int open_ = 0;  // how deep the parser's own calls are
};

}  // namespace reveille::text::jinja
