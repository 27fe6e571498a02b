#include "text/jinja/interpreter.h"

#include "base/error.h"
#include "text/jinja/ops.h"

namespace reveille::text::jinja {

void Scope::set(std::string_view name, Value value) {
  for (auto& [known, held] : variables) {
    if (known == name) {
      held = std::move(value);
      return;
    }
  }
  variables.emplace_back(std::string(name), std::move(value));
}

const Value* Scope::find(std::string_view name) const {
  for (const Scope* scope = this; scope; scope = scope->outer.get()) {
    for (const auto& [known, held] : scope->variables) {
      if (known == name) return &held;
    }
  }
  return nullptr;
}

Interpreter::Frame::Frame(Interpreter& run, int line) : run_(run) {
  run.step();
  run.line_ = line;
  if (run.depth_ >= run.limits_.depth) {
    fail(ErrorKind::bad_input,
         cat("blocks, expressions and macro calls stand inside one another deeper than the limit of ",
             run.limits_.depth));
  }
  ++run.depth_;
}

Interpreter::Interpreter(const Limits& limits, std::string date) : limits_(limits), date_(std::move(date)) {}

Interpreter::~Interpreter() {
  for (auto& scope : captured_) scope->variables.clear();
  for (auto& space : namespaces_) space->attributes = {};
  for (auto& object : kept_) object->clear();
}

TextPtr Interpreter::run(const Block& block, std::vector<std::pair<std::string, Value>> variables) {
  auto context = std::make_shared<Scope>(nullptr);
  for (const auto& [name, value] : globals()) context->set(name, value);
  for (auto& [name, value] : variables) context->set(name, std::move(value));
  return capture(block, std::make_shared<Scope>(context));
}

void Interpreter::step(std::size_t count) {
  steps_ += count;
  if (steps_ > limits_.steps || steps_ < count) {
    fail(ErrorKind::bad_input, cat("the template takes more than ", limits_.steps, " steps, the limit"));
  }
}

void Interpreter::charge(const Value& made) {
  if (made.is(Kind::text)) charge_bytes(made.bytes().size());
  if (made.is(Kind::sequence)) charge_bytes(made.sequence().items.size() * sizeof(Value));
  if (made.is(Kind::mapping)) charge_bytes(made.mapping().entries.size() * 4 * sizeof(Value));
}

void Interpreter::charge_bytes(std::size_t bytes) {
  made_bytes_ += bytes;
  if (made_bytes_ > limits_.made_bytes) {
    fail(ErrorKind::bad_input,
         cat("the template makes more than ", limits_.made_bytes, " bytes of strings and lists, the limit"));
  }
}

Value Interpreter::new_namespace(Mapping attributes) {
  charge_bytes(sizeof(Namespace) + attributes.entries.size() * 4 * sizeof(Value));
  namespaces_.push_back(std::make_shared<Namespace>(Namespace{std::move(attributes)}));
  return namespaces_.back();
}

Interpreter::Flow Interpreter::run_block(const Block& block) {
  for (const auto& statement : block) {
    Flow flow = run_statement(*statement);
    if (flow != Flow::normal) return flow;
  }
  return Flow::normal;
}

Interpreter::Flow Interpreter::run_statement(const Stmt& statement) {
  Frame frame(*this, statement.line);
  switch (statement.kind) {
    case StmtKind::output: emit(eval(*statement.expr)); break;
    case StmtKind::if_else: return run_if(statement);
    case StmtKind::for_loop: return run_for(statement);
    case StmtKind::set: assign(*statement.target, eval(*statement.expr)); break;
    case StmtKind::set_block: return run_set_block(statement);
    case StmtKind::macro: scope_->set(statement.macro.name, make_macro(statement.macro)); break;
    case StmtKind::call_block: run_call_block(statement); break;
    case StmtKind::filter: return run_filter_block(statement);
    case StmtKind::with: return run_with(statement);
    case StmtKind::generation: return run_inner(statement.body, std::make_shared<Scope>(scope_));
    case StmtKind::break_loop: return Flow::broke;
    case StmtKind::continue_loop: return Flow::continued;
  }
  return Flow::normal;
}

Interpreter::Flow Interpreter::run_if(const Stmt& statement) {
  for (const Branch& branch : statement.branches) {
    if (!branch.test || eval(*branch.test).truthy()) return run_block(branch.body);
  }
  return Flow::normal;
}

Interpreter::Flow Interpreter::run_inner(const Block& block, ScopePtr scope) {
  ScopePtr outer = std::exchange(scope_, std::move(scope));
  Flow flow = run_block(block);
  scope_ = std::move(outer);
  return flow;
}

// The values are those of the outer scope, whatever names are set on the way.
Interpreter::Flow Interpreter::run_with(const Stmt& statement) {
  ScopePtr outer = scope_;
  auto inner = std::make_shared<Scope>(outer);
  for (const auto& [target, expr] : statement.assignments) {
    scope_ = outer;
    Value value = eval(*expr);
    scope_ = inner;
    assign(*target, value);
  }
  scope_ = outer;
  return run_inner(statement.body, inner);
}

TextPtr Interpreter::capture(const Block& block, ScopePtr scope, Flow* flow) {
  TextBuilder text;
  TextBuilder* outer = std::exchange(out_, &text);
  Flow ended = run_inner(block, std::move(scope));
  out_ = outer;
  if (flow) *flow = ended;
  return text.take();
}

Interpreter::Flow Interpreter::run_set_block(const Stmt& statement) {
  auto inner = std::make_shared<Scope>(scope_);
  Flow flow = Flow::normal;
  Value text = capture(statement.body, inner, &flow);
  if (flow != Flow::normal) return flow;
  if (statement.filter) text = filtered(*statement.filter, text, inner);
  assign(*statement.target, text);
  return flow;
}

Interpreter::Flow Interpreter::run_filter_block(const Stmt& statement) {
  auto inner = std::make_shared<Scope>(scope_);
  Flow flow = Flow::normal;
  Value text = capture(statement.body, inner, &flow);
  if (flow == Flow::normal) emit(filtered(*statement.filter, text, inner));
  return flow;
}

Value Interpreter::filtered(const Expr& filter, const Value& text, ScopePtr scope) {
  ScopePtr outer = std::exchange(scope_, std::move(scope));
  Value out = eval_filter(filter, &text);
  scope_ = std::move(outer);
  return out;
}

void Interpreter::emit(const Value& value) {
  step(value.weight());
  TextPtr text = str_text(value);
  if (out_->size() + text->bytes.size() > limits_.output_bytes) {
    fail(ErrorKind::bad_input, cat("the template prints more than ", limits_.output_bytes, " bytes, the limit"));
  }
  out_->add(*text);
  charge(text);
}

void Interpreter::assign(const Expr& target, const Value& value) {
  if (target.kind == ExprKind::name) return scope_->set(target.name, value);
  if (target.kind == ExprKind::attribute) return assign_attribute(target, value);
  Values items = items_of(*this, value);
  if (items.size() != target.items.size()) {
    fail_type(cat("cannot unpack ", items.size(), " values into ", target.items.size(), " names"));
  }
  for (std::size_t i = 0; i < items.size(); ++i) assign(*target.items[i], items[i]);
}

void Interpreter::assign_attribute(const Expr& target, const Value& value) {
  Value object = eval(*target.items[0]);
  if (!object.is(Kind::name_space)) {
    fail_type(
        cat("cannot set the attribute '", target.name, "' of a ", object.type_name(), "; only a namespace has such"));
  }
  if (target.name[0] == '_') fail_type(cat("the namespace attribute '", target.name, "' begins with an underscore"));
  object.space().attributes.set(plain_text(target.name), value);
}

}  // namespace reveille::text::jinja
