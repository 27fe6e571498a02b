#include "text/jinja/expression_parser.h"

#include <algorithm>
#include <array>

#include "base/error.h"

namespace reveille::text::jinja {
namespace {

constexpr int kMaxExpressionDepth = 300;
constexpr std::size_t kMaxNodes = 200'000;

template <std::size_t N>
bool among(const Token& token, TokenKind kind, const std::array<std::string_view, N>& names) {
  return token.kind == kind && std::find(names.begin(), names.end(), token.text) != names.end();
}

}  // namespace

ExprPtr ExpressionParser::make(ExprKind kind, int line, std::string name) {
  if (++nodes_ > kMaxNodes) fail_at(line, cat("the template has more expressions than the limit of ", kMaxNodes));
  auto out = std::make_unique<Expr>();
  out->kind = kind;
  out->line = line;
  out->name = std::move(name);
  return out;
}

// Deep trees are refused, so that evaluating and freeing them cannot exhaust the stack.
void ExpressionParser::grow(Expr& parent, const ExprPtr& child) {
  if (child) parent.depth = std::max(parent.depth, child->depth + 1);
  if (parent.depth > kMaxExpressionDepth) {
    fail_at(parent.line, cat("an expression is deeper than the limit of ", kMaxExpressionDepth));
  }
}

ExprPtr ExpressionParser::adopt(ExprPtr parent, std::initializer_list<ExprPtr*> children) {
  for (ExprPtr* child : children) {
    grow(*parent, *child);
    parent->items.push_back(std::move(*child));
  }
  return parent;
}

ExprPtr ExpressionParser::binary(std::string name, ExprPtr left, ExprPtr right) {
  int line = left->line;
  return adopt(make(ExprKind::binary, line, std::move(name)), {&left, &right});
}

bool ExpressionParser::tuple_ends(std::string_view until_name) const {
  auto kind = current().kind;
  if (kind == TokenKind::output_end || kind == TokenKind::block_end || is_symbol(")")) return true;
  return !until_name.empty() && is_name(until_name);
}

ExprPtr ExpressionParser::tuple(bool with_condition, std::string_view until_name, bool in_parentheses) {
  auto out = make(ExprKind::tuple, current().line);
  bool has_comma = false;
  for (;;) {
    if (!out->items.empty()) expect_symbol(",");
    if (tuple_ends(until_name)) break;
    ExprPtr item = expression(with_condition);
    grow(*out, item);
    out->items.push_back(std::move(item));
    if (!is_symbol(",")) break;
    has_comma = true;
  }
  if (has_comma) return out;
  if (!out->items.empty()) return std::move(out->items[0]);
  if (!in_parentheses) fail_at(current().line, cat("expected an expression, got ", describe(current())));
  return out;
}

ExprPtr ExpressionParser::expression(bool with_condition) {
  constexpr int kMaxOpen = 150;
  if (++open_ > kMaxOpen) fail_at(current().line, cat("an expression is nested deeper than the limit of ", kMaxOpen));
  auto out = with_condition ? condition() : either();
  --open_;
  return out;
}

ExprPtr ExpressionParser::condition() {
  ExprPtr then = either();
  while (is_name("if")) {
    int line = take().line;
    ExprPtr test = either();
    ExprPtr other;
    bool has_else = skip_name("else");
    if (has_else) other = expression();
    auto out = make(ExprKind::condition, line);
    out = adopt(std::move(out), {&test, &then});
    if (has_else) out = adopt(std::move(out), {&other});
    then = std::move(out);
  }
  return then;
}

ExprPtr ExpressionParser::either() {
  ExprPtr left = both();
  while (skip_name("or")) left = binary("or", std::move(left), both());
  return left;
}

ExprPtr ExpressionParser::both() {
  ExprPtr left = negation();
  while (skip_name("and")) left = binary("and", std::move(left), negation());
  return left;
}

ExprPtr ExpressionParser::negation() {
  if (!is_name("not")) return comparison();
  std::vector<int> lines;
  while (is_name("not")) lines.push_back(take().line);
  ExprPtr out = comparison();
  for (auto line = lines.rbegin(); line != lines.rend(); ++line)
    out = adopt(make(ExprKind::unary, *line, "not"), {&out});
  return out;
}

ExprPtr ExpressionParser::comparison() {
  static constexpr std::array<std::string_view, 6> kOperators = {"==", "!=", "<", "<=", ">", ">="};
  ExprPtr first = sum();
  std::vector<std::string> operators;
  std::vector<ExprPtr> operands;
  for (;;) {
    if (among(current(), TokenKind::symbol, kOperators)) {
      operators.push_back(take().text);
    } else if (skip_name("in")) {
      operators.push_back("in");
    } else if (is_name("not") && ahead().kind == TokenKind::name && ahead().text == "in") {
      take();
      take();
      operators.push_back("not in");
    } else {
      break;
    }
    operands.push_back(sum());
  }
  if (operators.empty()) return first;
  auto out = make(ExprKind::compare, first->line);
  out = adopt(std::move(out), {&first});
  for (auto& operand : operands) out = adopt(std::move(out), {&operand});
  out->operators = std::move(operators);
  return out;
}

ExprPtr ExpressionParser::sum() {
  static constexpr std::array<std::string_view, 2> kOperators = {"+", "-"};
  ExprPtr left = concatenation();
  while (among(current(), TokenKind::symbol, kOperators)) {
    std::string name = take().text;
    left = binary(name, std::move(left), concatenation());
  }
  return left;
}

ExprPtr ExpressionParser::concatenation() {
  ExprPtr first = product();
  if (!is_symbol("~")) return first;
  auto out = make(ExprKind::concat, first->line);
  out = adopt(std::move(out), {&first});
  while (skip_symbol("~")) {
    ExprPtr next = product();
    out = adopt(std::move(out), {&next});
  }
  return out;
}

ExprPtr ExpressionParser::product() {
  static constexpr std::array<std::string_view, 4> kOperators = {"*", "/", "//", "%"};
  ExprPtr left = power();
  while (among(current(), TokenKind::symbol, kOperators)) {
    std::string name = take().text;
    left = binary(name, std::move(left), power());
  }
  return left;
}

ExprPtr ExpressionParser::power() {
  ExprPtr left = unary();
  while (skip_symbol("**")) left = binary("**", std::move(left), unary());
  return left;
}

ExprPtr ExpressionParser::unary(bool with_filter) {
  constexpr int kMaxOpen = 150;
  ExprPtr out;
  if (is_symbol("-") || is_symbol("+")) {
    Token sign = take();
    if (++open_ > kMaxOpen) fail_at(sign.line, cat("an expression is nested deeper than the limit of ", kMaxOpen));
    ExprPtr operand = unary(false);
    --open_;
    out = adopt(make(ExprKind::unary, sign.line, sign.text), {&operand});
  } else {
    out = primary();
  }
  out = postfix(std::move(out));
  return with_filter ? filters(std::move(out)) : std::move(out);
}

ExprPtr ExpressionParser::primary(bool with_namespace) {
  const Token& token = current();
  int line = token.line;
  if (token.kind == TokenKind::name) return name_or_constant(with_namespace);
  if (token.kind == TokenKind::text) {
    std::string text;
    while (current().kind == TokenKind::text) text += take().text;
    auto out = make(ExprKind::constant, line);
    out->value = Value(marked_text(std::move(text), kFromTemplate));
    return out;
  }
  if (token.kind == TokenKind::number) {
    auto out = make(ExprKind::constant, line);
    out->value = take().number;
    return out;
  }
  if (is_symbol("[")) return list();
  if (is_symbol("{")) return dict();
  if (!skip_symbol("(")) fail_at(line, cat("unexpected ", describe(token)));
  ExprPtr out = tuple(true, {}, true);
  expect_symbol(")");
  return out;
}

ExprPtr ExpressionParser::name_or_constant(bool with_namespace) {
  Token token = take();
  auto constant = [&](Value value) {
    auto out = make(ExprKind::constant, token.line);
    out->value = std::move(value);
    return out;
  };
  if (token.text == "true" || token.text == "True") return constant(true);
  if (token.text == "false" || token.text == "False") return constant(false);
  if (token.text == "none" || token.text == "None") return constant(nullptr);
  auto out = make(ExprKind::name, token.line, token.text);
  if (!with_namespace || !skip_symbol(".")) {
    read_names_.push_back(token.text);
    return out;
  }
  auto attribute = make(ExprKind::attribute, token.line, expect_name());
  return adopt(std::move(attribute), {&out});
}

ExprPtr ExpressionParser::list() {
  auto out = make(ExprKind::list, take().line);
  while (!is_symbol("]")) {
    if (!out->items.empty()) expect_symbol(",");
    if (is_symbol("]")) break;
    ExprPtr item = expression();
    out = adopt(std::move(out), {&item});
  }
  expect_symbol("]");
  return out;
}

ExprPtr ExpressionParser::dict() {
  auto out = make(ExprKind::dict, take().line);
  while (!is_symbol("}")) {
    if (!out->items.empty()) expect_symbol(",");
    if (is_symbol("}")) break;
    ExprPtr key = expression();
    expect_symbol(":");
    ExprPtr value = expression();
    out = adopt(std::move(out), {&key, &value});
  }
  expect_symbol("}");
  return out;
}

ExprPtr ExpressionParser::postfix(ExprPtr value) {
  for (;;) {
    if (is_symbol(".") || is_symbol("[")) {
      value = subscript(std::move(value));
    } else if (is_symbol("(")) {
      value = call(std::move(value));
    } else {
      return value;
    }
  }
}

ExprPtr ExpressionParser::filters(ExprPtr value) {
  for (;;) {
    if (is_symbol("|")) {
      value = filter(std::move(value));
    } else if (is_name("is")) {
      value = test(std::move(value));
    } else if (is_symbol("(")) {
      value = call(std::move(value));
    } else {
      return value;
    }
  }
}

ExprPtr ExpressionParser::subscript(ExprPtr value) {
  Token opening = take();
  if (opening.text == "[") return brackets(std::move(value));
  if (current().kind == TokenKind::name) {
    auto out = make(ExprKind::attribute, opening.line, take().text);
    return adopt(std::move(out), {&value});
  }
  if (current().kind != TokenKind::number || !current().number.is(Kind::integer)) {
    fail_at(current().line, cat("expected a name or a number after '.', got ", describe(current())));
  }
  auto index = make(ExprKind::constant, opening.line);
  index->value = take().number;
  return adopt(make(ExprKind::item, opening.line), {&value, &index});
}

ExprPtr ExpressionParser::brackets(ExprPtr value) {
  int line = current().line;
  ExprPtr parts[3];
  bool is_slice = false;
  if (is_symbol("]")) parts[0] = make(ExprKind::tuple, line);
  if (!is_symbol(":") && !parts[0]) parts[0] = tuple(true, {}, false);
  for (int part = 1; part < 3 && skip_symbol(":"); ++part) {
    is_slice = true;
    if (!is_symbol(":") && !is_symbol("]")) parts[part] = expression();
  }
  if (is_slice && is_symbol(","))
    fail_at(line, "slices in several dimensions are not supported", ErrorKind::unsupported);
  expect_symbol("]");
  if (is_slice) return adopt(make(ExprKind::slice, line), {&value, &parts[0], &parts[1], &parts[2]});
  return adopt(make(ExprKind::item, line), {&value, &parts[0]});
}

ExprPtr ExpressionParser::call(ExprPtr callee) {
  auto out = make(ExprKind::call, current().line);
  out = adopt(std::move(out), {&callee});
  call_args(*out);
  return out;
}

void ExpressionParser::call_args(Expr& into) {
  CallArgs& args = into.call;
  int line = current().line;
  auto ensure = [&](bool fine) {
    if (!fine) fail_at(line, "the arguments of a call are in a wrong order");
  };
  expect_symbol("(");
  for (bool first = true; !is_symbol(")"); first = false) {
    if (!first) expect_symbol(",");
    if (is_symbol(")")) break;
    ExprPtr* into_slot = nullptr;
    if (skip_symbol("*")) {
      ensure(!args.star && !args.double_star);
      into_slot = &args.star;
    } else if (skip_symbol("**")) {
      ensure(!args.double_star);
      into_slot = &args.double_star;
    } else if (current().kind == TokenKind::name && ahead().kind == TokenKind::symbol && ahead().text == "=") {
      ensure(!args.double_star);
      std::string name = take().text;
      take();
      args.named.emplace_back(std::move(name), nullptr);
      into_slot = &args.named.back().second;
    } else {
      ensure(!args.star && !args.double_star && args.named.empty());
      args.positional.emplace_back();
      into_slot = &args.positional.back();
    }
    *into_slot = expression();
    grow(into, *into_slot);
  }
  expect_symbol(")");
}

ExprPtr ExpressionParser::filter(ExprPtr value, bool at_name) {
  while (at_name || skip_symbol("|")) {
    at_name = false;
    int line = current().line;
    std::string name = expect_name();
    while (skip_symbol(".")) name += "." + expect_name();
    auto out = adopt(make(ExprKind::filter, line, std::move(name)), {&value});
    if (is_symbol("(")) call_args(*out);
    value = std::move(out);
  }
  return value;
}

ExprPtr ExpressionParser::test(ExprPtr value) {
  static constexpr std::array<std::string_view, 3> kNoArgument = {"else", "or", "and"};
  int line = take().line;
  bool negated = skip_name("not");
  std::string name = expect_name();
  while (skip_symbol(".")) name += "." + expect_name();
  auto out = adopt(make(ExprKind::test, line, std::move(name)), {&value});
  auto kind = current().kind;
  bool starts_value = kind == TokenKind::name || kind == TokenKind::text || kind == TokenKind::number ||
                      is_symbol("[") || is_symbol("{");
  if (is_symbol("(")) {
    call_args(*out);
  } else if (starts_value && !among(current(), TokenKind::name, kNoArgument)) {
    if (is_name("is")) fail_at(line, "tests with 'is' cannot be chained");
    ExprPtr argument = postfix(primary());
    grow(*out, argument);
    out->call.positional.push_back(std::move(argument));
  }
  if (!negated) return out;
  return adopt(make(ExprKind::unary, line, "not"), {&out});
}

ExprPtr ExpressionParser::assign_target(bool with_namespace, std::string_view until_name) {
  auto out = make(ExprKind::tuple, current().line);
  bool has_comma = false;
  for (;;) {
    if (!out->items.empty()) expect_symbol(",");
    if (tuple_ends(until_name)) break;
    ExprPtr item = checked_target(primary(with_namespace));
    out = adopt(std::move(out), {&item});
    if (!is_symbol(",")) break;
    has_comma = true;
  }
  if (out->items.empty()) fail_at(out->line, cat("expected a name to assign to, got ", describe(current())));
  if (!has_comma) return std::move(out->items[0]);
  return out;
}

ExprPtr ExpressionParser::checked_target(ExprPtr target) {
  bool fine = target->kind == ExprKind::name || target->kind == ExprKind::attribute;
  if (target->kind == ExprKind::tuple) {
    fine = true;
    for (auto& item : target->items) item = checked_target(std::move(item));
  }
  if (!fine) fail_at(target->line, "this cannot be assigned to; expected a name");
  return target;
}

Token ExpressionParser::take() {
  Token token = tokens_[at_];
  if (at_ + 1 < tokens_.size()) ++at_;
  return token;
}

bool ExpressionParser::is_symbol(std::string_view symbol) const {
  return current().kind == TokenKind::symbol && current().text == symbol;
}

bool ExpressionParser::is_name(std::string_view name) const {
  return current().kind == TokenKind::name && current().text == name;
}

bool ExpressionParser::skip_symbol(std::string_view symbol) {
  bool there = is_symbol(symbol);
  if (there) take();
  return there;
}

bool ExpressionParser::skip_name(std::string_view name) {
  bool there = is_name(name);
  if (there) take();
  return there;
}

void ExpressionParser::expect_symbol(std::string_view symbol) {
  if (!skip_symbol(symbol)) fail_at(current().line, cat("expected '", symbol, "', got ", describe(current())));
}

std::string ExpressionParser::expect_name() {
  if (current().kind != TokenKind::name) fail_at(current().line, cat("expected a name, got ", describe(current())));
  return take().text;
}

void ExpressionParser::expect(TokenKind kind, const char* what) {
  if (current().kind != kind) fail_at(current().line, cat("expected ", what, ", got ", describe(current())));
  take();
}

std::string ExpressionParser::describe(const Token& token) const {
  switch (token.kind) {
    case TokenKind::data: return "text";
    case TokenKind::end: return "the end of the template";
    case TokenKind::text: return "a string";
    case TokenKind::number: return "a number";
    default: return "'" + token.text + "'";
  }
}

void ExpressionParser::fail_at(int line, const std::string& message, ErrorKind kind) const {
  fail(kind, cat("line ", line, ": ", message));
}

}  // namespace reveille::text::jinja
