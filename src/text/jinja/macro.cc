#include "base/error.h"
#include "text/jinja/args.h"
#include "text/jinja/interpreter.h"

namespace reveille::text::jinja {

Value Interpreter::make_macro(const MacroDefinition& macro) {
  charge_bytes(sizeof(Scope) + sizeof(Function));
  captured_.push_back(scope_);
  std::weak_ptr<Scope> scope = scope_;  // kept alive by captured_
  return make_function(macro.name, [&macro, scope](Interpreter& run, Args& args) {
    return run.call_macro(macro, scope.lock(), std::move(args));
  });
}

Value Interpreter::call_macro(const MacroDefinition& macro, const ScopePtr& outer, Args args) {
  auto scope = std::make_shared<Scope>(outer);
  ScopePtr current = std::exchange(scope_, scope);
  bind_macro(macro, args);
  scope_ = std::move(current);
  return capture(macro.body, std::move(scope));
}

// Gives the macro's parameters their values in the current scope.
void Interpreter::bind_macro(const MacroDefinition& macro, Args& args) {
  std::size_t count = macro.parameters.size(), no_default = count - macro.defaults.size();
  std::vector<std::optional<Value>> given(count);
  for (std::size_t i = 0; i < count; ++i) {
    given[i] = i < args.positional.size() ? std::optional(args.positional[i]) : take_named(args, macro.parameters[i]);
  }
  for (std::size_t i = 0; i < count; ++i) {
    const std::string& name = macro.parameters[i];
    if (given[i]) {
      scope_->set(name, *given[i]);
    } else if (i >= no_default) {
      scope_->set(name, eval(*macro.defaults[i - no_default]));
    } else {
      scope_->set(name, Value::undefined(cat("parameter '", name, "' was not provided")));
    }
  }
  if (macro.takes_caller) {
    auto caller = take_named(args, "caller");
    scope_->set("caller", caller ? *caller : Value::undefined("No caller defined"));
  }
  if (macro.takes_kwargs) {
    auto rest = std::make_shared<Mapping>();
    for (auto& [name, value] : args.named) rest->set(plain_text(name), value);
    scope_->set("kwargs", std::shared_ptr<const Mapping>(rest));
  } else if (!args.named.empty()) {
    fail_type(cat("the macro '", macro.name, "' takes no argument named '", args.named[0].first, "'"));
  }
  if (macro.takes_varargs) {
    std::size_t used = std::min(count, args.positional.size());
    scope_->set("varargs",
                make_tuple(Values(args.positional.begin() + static_cast<long>(used), args.positional.end())));
  } else if (args.positional.size() > count) {
    fail_type(cat("the macro '", macro.name, "' takes at most ", count, " arguments, got ", args.positional.size()));
  }
}

// {% call m(...) %} body {% endcall %}: the body is a macro that m gets as `caller`.
void Interpreter::run_call_block(const Stmt& statement) {
  const Expr& call = *statement.expr;
  Value callee = eval(*call.items[0]);
  Args args = eval_args(call.call);
  args.named.emplace_back("caller", make_macro(statement.macro));
  emit(this->call(callee, std::move(args)));
}

}  // namespace reveille::text::jinja
