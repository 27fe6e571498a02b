#include "text/jinja/loop.h"

#include <algorithm>

#include "base/error.h"
#include "text/jinja/interpreter.h"

namespace reveille::text::jinja {

std::optional<Value> LoopState::pull() {
  while (auto item = source.next()) {
    if (!test || test(*item)) return item;
  }
  return std::nullopt;
}

bool LoopState::has_next() {
  if (!ahead.empty()) return true;
  auto item = pull();
  if (item) ahead.push_back(*item);
  return item.has_value();
}

std::optional<Value> LoopState::advance() {
  if (!has_next()) return std::nullopt;
  ++index0;
  before = std::exchange(now, ahead.back());
  ahead.pop_back();
  return now;
}

std::int64_t LoopState::count() {
  if (!known_length && !test && source.sized()) known_length = static_cast<std::int64_t>(source.size());
  if (!known_length) {
    Values rest(ahead.rbegin(), ahead.rend());
    while (auto item = pull()) rest.push_back(*item);
    known_length = index0 + 1 + static_cast<std::int64_t>(rest.size());
    ahead.assign(rest.rbegin(), rest.rend());
  }
  return *known_length;
}

std::optional<Value> LoopState::attribute(std::string_view name) {
  if (name == "index0") return Value(index0);
  if (name == "index") return Value(index0 + 1);
  if (name == "first") return Value(index0 == 0);
  if (name == "last") return Value(!has_next());
  if (name == "length") return Value(count());
  if (name == "revindex") return Value(count() - index0);
  if (name == "revindex0") return Value(count() - index0 - 1);
  if (name == "depth") return Value(1);
  if (name == "depth0") return Value(0);
  if (name == "previtem") return index0 == 0 ? Value::undefined("there is no previous item") : *before;
  if (name == "nextitem") return has_next() ? ahead.back() : Value::undefined("there is no next item");
  if (name == "cycle") {
    return make_function("cycle", [index = index0](Interpreter&, Args& args) {
      if (args.positional.empty()) fail_type("loop.cycle() wants at least one value");
      return args.positional[static_cast<std::size_t>(index) % args.positional.size()];
    });
  }
  if (name == "changed") {
    return make_function("changed", [self = shared_from_this()](Interpreter& run, Args& args) {
      auto& last = self->last_changed;
      if (!last) run.keep(self);
      bool same = last && last->size() == args.positional.size() &&
                  std::equal(last->begin(), last->end(), args.positional.begin(), equal);
      last = args.positional;
      return Value(!same);
    });
  }
  return std::nullopt;
}

void LoopState::clear() {
  before.reset();
  now.reset();
  ahead.clear();
  last_changed.reset();
}

// Each round has a scope of its own. As in jinja2, the 'else' runs unless some round reached the
// end of the body.
Interpreter::Flow Interpreter::run_for(const Stmt& statement) {
  ScopePtr outer = scope_;
  auto state = std::make_shared<LoopState>(*this, eval(*statement.expr));
  if (statement.test) {
    state->test = [this, &statement, outer](const Value& item) { return passes(statement, outer, item); };
  }
  bool completed = false;
  Flow flow = Flow::normal;
  while (flow != Flow::broke) {
    auto item = state->advance();
    if (!item) break;
    step();
    scope_ = std::make_shared<Scope>(outer);
    assign(*statement.target, *item);
    scope_->set("loop", std::shared_ptr<Object>(state));
    flow = run_block(statement.body);
    completed = completed || flow == Flow::normal;
    scope_ = outer;
  }
  state->test = nullptr;
  return completed ? Flow::normal : run_inner(statement.other, std::make_shared<Scope>(outer));
}

bool Interpreter::passes(const Stmt& loop, const ScopePtr& outer, const Value& item) {
  ScopePtr current = std::exchange(scope_, std::make_shared<Scope>(outer));
  assign(*loop.target, item);
  bool out = eval(*loop.test).truthy();
  scope_ = std::move(current);
  return out;
}

}  // namespace reveille::text::jinja
