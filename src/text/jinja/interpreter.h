// Runs a template: scopes, statements, expressions, and the limits that hold a hostile one.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "text/jinja/ast.h"
#include "text/jinja/limits.h"
#include "text/jinja/value.h"

namespace reveille::text::jinja {

// The variables of one block; inner blocks see outer ones, assignments stay in their own.
struct Scope {
  explicit Scope(std::shared_ptr<Scope> outer_scope) : outer(std::move(outer_scope)) {}
  void set(std::string_view name, Value value);
  const Value* find(std::string_view name) const;
  std::vector<std::pair<std::string, Value>> variables;
  std::shared_ptr<Scope> outer;
};
using ScopePtr = std::shared_ptr<Scope>;

class Interpreter {
 public:
  Interpreter(const Limits& limits, std::string date);
  ~Interpreter();
  Interpreter(const Interpreter&) = delete;
  Interpreter& operator=(const Interpreter&) = delete;

  // What the template prints.
  TextPtr run(const Block& block, std::vector<std::pair<std::string, Value>> variables);
  // The line being run, for errors.
  int line() const { return line_; }

  // For the built-in functions.
  void step(std::size_t count = 1);
  Value call(const Value& callee, Args args);
  Value apply_filter(const std::string& name, Value value, Args args);
  bool apply_test(const std::string& name, const Value& value, Args args);
  Value new_namespace(Mapping attributes);
  // Empties `object` at the end, since it may hold itself.
  void keep(std::shared_ptr<Object> object) { kept_.push_back(std::move(object)); }
  const std::string& date() const { return date_; }

 private:
  enum class Flow { normal, broke, continued };
  class Frame {  // one level of blocks, expressions or calls
   public:
    Frame(Interpreter& run, int line);
    ~Frame() { --run_.depth_; }
    Frame(const Frame&) = delete;
    Frame& operator=(const Frame&) = delete;

   private:
    Interpreter& run_;
  };

  // Statements (interpreter.cc).
  Flow run_block(const Block& block);
  Flow run_statement(const Stmt& statement);
  Flow run_if(const Stmt& statement);
  Flow run_with(const Stmt& statement);
  Flow run_set_block(const Stmt& statement);
  Flow run_filter_block(const Stmt& statement);
  Flow run_inner(const Block& block, ScopePtr scope);
  // The text that a block prints in `scope`; `flow` tells how it ended.
  TextPtr capture(const Block& block, ScopePtr scope, Flow* flow = nullptr);
  Value filtered(const Expr& filter, const Value& text, ScopePtr scope);
  // Counts a new value against the limit.
  void charge(const Value& made);
  void charge_bytes(std::size_t bytes);
  void emit(const Value& value);
  void assign(const Expr& target, const Value& value);
  void assign_attribute(const Expr& target, const Value& value);

  // Loops (loop.cc) and macros (macro.cc).
  Flow run_for(const Stmt& statement);
  bool passes(const Stmt& loop, const ScopePtr& outer, const Value& item);
  Value make_macro(const MacroDefinition& macro);
  Value call_macro(const MacroDefinition& macro, const ScopePtr& scope, Args args);
  void bind_macro(const MacroDefinition& macro, Args& args);
  void run_call_block(const Stmt& statement);

  // Expressions (expressions.cc).
  Value eval(const Expr& expr);
  Value eval_name(const Expr& expr);
  Value eval_unary(const Expr& expr);
  Value eval_binary(const Expr& expr);
  Value eval_compare(const Expr& expr);
  Value eval_concat(const Expr& expr);
  Value eval_condition(const Expr& expr);
  Value eval_dict(const Expr& expr);
  Value eval_slice(const Expr& expr);
  Value eval_call(const Expr& expr);
  Value eval_filter(const Expr& expr, const Value* input = nullptr);
  Value eval_input(const Expr& expr, const Value* input);
  Value made(Value value);  // charged
  Values eval_all(const std::vector<ExprPtr>& items);
  Args eval_args(const CallArgs& call);

  Limits limits_;
  std::string date_;
  ScopePtr scope_;
  TextBuilder* out_ = nullptr;
  std::size_t steps_ = 0;
  std::size_t made_bytes_ = 0;
  int depth_ = 0;
  int line_ = 1;
  // Scopes, namespaces and loops may hold each other in a circle; they are emptied at the end.
  std::vector<ScopePtr> captured_;
  std::vector<std::shared_ptr<Namespace>> namespaces_;
  std::vector<std::shared_ptr<Object>> kept_;
};

// Functions that every template sees: range, dict, namespace, joiner, raise_exception, strftime_now.
const std::map<std::string, Value, std::less<>>& globals();

}  // namespace reveille::text::jinja
