#include "base/error.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/methods.h"
#include "text/jinja/ops.h"

namespace reveille::text::jinja {

Value Interpreter::eval(const Expr& expr) {
  Frame frame(*this, expr.line);
  switch (expr.kind) {
    case ExprKind::constant: return expr.value;
    case ExprKind::name: return eval_name(expr);
    case ExprKind::list: return made(make_list(eval_all(expr.items)));
    case ExprKind::tuple: return made(make_tuple(eval_all(expr.items)));
    case ExprKind::dict: return made(eval_dict(expr));
    case ExprKind::unary: return eval_unary(expr);
    case ExprKind::binary: return eval_binary(expr);
    case ExprKind::compare: return eval_compare(expr);
    case ExprKind::concat: return eval_concat(expr);
    case ExprKind::condition: return eval_condition(expr);
    case ExprKind::attribute: return get_attribute(eval(*expr.items[0]), expr.name);
    case ExprKind::item: {
      Value object = eval(*expr.items[0]);
      return get_item(object, eval(*expr.items[1]));
    }
    case ExprKind::slice: return made(eval_slice(expr));
    case ExprKind::call: return made(eval_call(expr));
    case ExprKind::filter: return made(eval_filter(expr));
    case ExprKind::test: {
      Value value = eval(*expr.items[0]);
      Args args = eval_args(expr.call);
      line_ = expr.line;
      return apply_test(expr.name, value, std::move(args));
    }
  }
  fail(ErrorKind::internal, "an expression of unknown kind");
}

Value Interpreter::made(Value value) {
  charge(value);
  return value;
}

Value Interpreter::eval_name(const Expr& expr) {
  const Value* found = scope_->find(expr.name);
  if (found) return *found;
  if (expr.name == "lipsum" || expr.name == "cycler") {
    fail(ErrorKind::unsupported, cat("the function '", expr.name, "' is not supported in a chat template"));
  }
  return Value::undefined(cat("'", expr.name, "' is undefined"));
}

Value Interpreter::eval_unary(const Expr& expr) {
  Value value = eval(*expr.items[0]);
  if (expr.name == "not") return !value.truthy();
  if (value.is(Kind::undefined)) fail_undefined(value);
  if (!value.is_number()) fail_type(cat("a ", value.type_name(), " has no sign"));
  if (expr.name == "-") return negate(value);
  return value.is(Kind::boolean) ? Value(value.as_integer()) : value;
}

Value Interpreter::eval_binary(const Expr& expr) {
  Value left = eval(*expr.items[0]);
  if (expr.name == "and") return left.truthy() ? eval(*expr.items[1]) : left;
  if (expr.name == "or") return left.truthy() ? left : eval(*expr.items[1]);
  Value right = eval(*expr.items[1]);
  line_ = expr.line;
  return made(arithmetic(*this, expr.name, left, right));
}

Value Interpreter::eval_compare(const Expr& expr) {
  Value left = eval(*expr.items[0]);
  for (std::size_t i = 0; i < expr.operators.size(); ++i) {
    Value right = eval(*expr.items[i + 1]);
    line_ = expr.line;
    if (!compare(*this, expr.operators[i], left, right)) return false;
    left = std::move(right);
  }
  return true;
}

Value Interpreter::eval_concat(const Expr& expr) {
  TextBuilder out;
  for (const Value& value : eval_all(expr.items)) {
    step(value.weight());
    out.add(*str_text(value));
  }
  return made(out.take());
}

Value Interpreter::eval_condition(const Expr& expr) {
  if (eval(*expr.items[0]).truthy()) return eval(*expr.items[1]);
  if (expr.items.size() > 2) return eval(*expr.items[2]);
  return Value::undefined(cat("the inline if-expression on line ", expr.line, " was false and has no else"));
}

Value Interpreter::eval_dict(const Expr& expr) {
  auto out = std::make_shared<Mapping>();
  for (std::size_t i = 0; i + 1 < expr.items.size(); i += 2) {
    Value key = eval(*expr.items[i]);
    out->set(std::move(key), eval(*expr.items[i + 1]));
  }
  return std::shared_ptr<const Mapping>(out);
}

Value Interpreter::eval_slice(const Expr& expr) {
  Value object = eval(*expr.items[0]);
  Value parts[3];
  for (std::size_t i = 0; i < 3; ++i) {
    if (expr.items[i + 1]) parts[i] = eval(*expr.items[i + 1]);
  }
  line_ = expr.line;
  return get_slice(*this, object, parts[0], parts[1], parts[2]);
}

Value Interpreter::eval_call(const Expr& expr) {
  const Expr& callee = *expr.items[0];
  // object.method(...) without making a function first.
  if (callee.kind == ExprKind::attribute) {
    Value object = eval(*callee.items[0]);
    if (const Method* method = find_method(object, callee.name)) {
      Args args = eval_args(expr.call);
      line_ = expr.line;
      return (*method)(*this, object, args);
    }
    Value function = get_attribute(object, callee.name);
    Args args = eval_args(expr.call);
    return call(function, std::move(args));
  }
  Value function = eval(callee);
  Args args = eval_args(expr.call);
  line_ = expr.line;
  return call(function, std::move(args));
}

Value Interpreter::call(const Value& callee, Args args) {
  if (callee.is(Kind::undefined)) fail_undefined(callee);
  if (!callee.is(Kind::function)) fail_type(cat("a ", callee.type_name(), " cannot be called"));
  step();
  // A copy: the callee may replace the variable that holds it.
  Value held = callee;  // NOLINT(performance-unnecessary-copy-initialization)
  return held.function().call(*this, args);
}

Value Interpreter::eval_filter(const Expr& expr, const Value* input) {
  Value value = expr.items[0] ? eval_input(*expr.items[0], input) : *input;
  Args args = eval_args(expr.call);
  line_ = expr.line;
  return apply_filter(expr.name, std::move(value), std::move(args));
}

// In a filter block the innermost filter of a chain has no operand; the block's text is it.
Value Interpreter::eval_input(const Expr& expr, const Value* input) {
  return input && expr.kind == ExprKind::filter ? eval_filter(expr, input) : eval(expr);
}

Values Interpreter::eval_all(const std::vector<ExprPtr>& items) {
  Values out;
  out.reserve(items.size());
  for (const auto& item : items) out.push_back(eval(*item));
  return out;
}

Args Interpreter::eval_args(const CallArgs& call) {
  Args args{eval_all(call.positional), {}};
  for (const auto& [name, expr] : call.named) args.named.emplace_back(name, eval(*expr));
  if (call.star) {
    for (Value& item : items_of(*this, eval(*call.star))) args.positional.push_back(std::move(item));
  }
  if (!call.double_star) return args;
  Value rest = eval(*call.double_star);
  if (!rest.is(Kind::mapping)) fail_type(cat("** wants a dict, got a ", rest.type_name()));
  for (const auto& [key, value] : rest.mapping().entries) {
    if (!key.is(Kind::text)) fail_type("** wants a dict whose keys are strings");
    args.named.emplace_back(key.bytes(), value);
  }
  return args;
}

}  // namespace reveille::text::jinja
