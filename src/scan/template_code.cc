#include "scan/template_code.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <set>

#include "text/jinja/parser.h"

namespace reveille::scan {
namespace {

namespace jinja = text::jinja;
using jinja::Expr;
using jinja::ExprKind;
using jinja::ExprPtr;
using jinja::Stmt;

constexpr const char* kClock = "strftime_now";

using OnExpr = std::function<void(const Expr&)>;

void each(const ExprPtr& expr, const OnExpr& visit) {
  if (!expr) return;
  visit(*expr);
  for (const ExprPtr& item : expr->items) each(item, visit);
  for (const ExprPtr& argument : expr->call.positional) each(argument, visit);
  for (const auto& [name, argument] : expr->call.named) each(argument, visit);
  each(expr->call.star, visit);
  each(expr->call.double_star, visit);
}

// Statements of a block and of all blocks within.
void each(const jinja::Block& block, const std::function<void(const Stmt&)>& visit) {
  for (const auto& statement : block) {
    visit(*statement);
    each(statement->body, visit);
    each(statement->other, visit);
    each(statement->macro.body, visit);
    for (const auto& branch : statement->branches) each(branch.body, visit);
  }
}

void each_expr(const Stmt& statement, const OnExpr& visit) {
  for (const ExprPtr* expr : {&statement.expr, &statement.target, &statement.test, &statement.filter})
    each(*expr, visit);
  for (const auto& branch : statement.branches) each(branch.test, visit);
  for (const auto& [target, value] : statement.assignments) each(value, visit);
  for (const ExprPtr& value : statement.macro.defaults) each(value, visit);
}

bool is_text(const Expr& expr) { return expr.kind == ExprKind::constant && expr.value.is(jinja::Kind::text); }

// The text of a literal, and of literals that are joined: a string cut in pieces is found whole.
std::optional<std::string> folded(const Expr& expr) {
  if (is_text(expr)) return expr.value.bytes();
  const bool joins = expr.kind == ExprKind::concat || (expr.kind == ExprKind::binary && expr.name == "+");
  if (!joins) return std::nullopt;
  std::string out;
  for (const ExprPtr& item : expr.items) {
    const auto part = item ? folded(*item) : std::nullopt;
    if (!part) return std::nullopt;
    out += *part;
  }
  return out;
}

bool is_internal(const std::string& name) { return name.size() > 4 && name.starts_with("__") && name.ends_with("__"); }

class Reader {
 public:
  TemplateCode read(const jinja::Block& block) {
    each(block, [&](const Stmt& statement) { take_date(statement); });
    each(block, [&](const Stmt& statement) {
      const bool data = statement.kind == jinja::StmtKind::output && statement.expr && is_text(*statement.expr);
      if (data) {
        add(out_.printed, statement.expr->value.bytes(), statement.line);
      }
      each_expr(statement, [&](const Expr& expr) { take(expr); });
    });
    std::sort(out_.date_conditions.begin(), out_.date_conditions.end());
    auto& lines = out_.date_conditions;
    lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
    return std::move(out_);
  }

 private:
  static void add(std::vector<TemplateLiteral>& to, std::string text, int line) {
    const bool known = std::any_of(to.begin(), to.end(), [&](const auto& one) { return one.text == text; });
    if (!known) to.push_back({std::move(text), line});
  }

  // Variables that hold the date.
  void take_date(const Stmt& statement) {
    const bool sets = statement.kind == jinja::StmtKind::set && statement.target && statement.expr;
    if (sets && statement.target->kind == ExprKind::name && tells_date(*statement.expr))
      dates_.insert(statement.target->name);
  }

  bool tells_date(const Expr& expr) const {
    if (expr.kind == ExprKind::name && dates_.count(expr.name)) return true;
    if (expr.kind == ExprKind::call && !expr.items.empty() && expr.items[0] && expr.items[0]->kind == ExprKind::name &&
        expr.items[0]->name == kClock)
      return true;
    return std::any_of(expr.items.begin(), expr.items.end(),
                       [&](const ExprPtr& item) { return item && tells_date(*item); });
  }

  // date.startswith("20")
  bool asks_date(const Expr& expr) const {
    if (expr.kind != ExprKind::call || expr.items.empty() || !expr.items[0]) return false;
    const Expr& callee = *expr.items[0];
    const bool asks = callee.kind == ExprKind::attribute &&
                      (callee.name == "startswith" || callee.name == "endswith" || callee.name == "find");
    return asks && !callee.items.empty() && callee.items[0] && tells_date(*callee.items[0]);
  }

  void take(const Expr& expr) {
    if (auto text = folded(expr)) {
      if (is_internal(*text)) add(out_.internals, *text, expr.line);
      add(out_.literals, std::move(*text), expr.line);
    }
    const bool named = expr.kind == ExprKind::attribute || expr.kind == ExprKind::name;
    if (named && is_internal(expr.name)) add(out_.internals, expr.name, expr.line);
    const bool compares =
        expr.kind == ExprKind::compare && std::any_of(expr.items.begin(), expr.items.end(),
                                                      [&](const ExprPtr& item) { return item && tells_date(*item); });
    if (compares || asks_date(expr)) out_.date_conditions.push_back(expr.line);
  }

  TemplateCode out_;
  std::set<std::string> dates_;
};

}  // namespace

TemplateCode read_template_code(std::string_view source) { return Reader().read(jinja::parse_template(source)); }

}  // namespace reveille::scan
