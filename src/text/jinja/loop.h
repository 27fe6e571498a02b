// The state of one running 'for', which is also its variable `loop`.
#pragma once

#include <functional>

#include "text/jinja/ops.h"

namespace reveille::text::jinja {

struct LoopState : Object, std::enable_shared_from_this<LoopState> {
  LoopState(Interpreter& run, const Value& items) : source(run, items) {}
  const char* type_name() const override { return "LoopContext"; }
  std::optional<Value> attribute(std::string_view name) override;
  void clear() override;

  // Steps to the next item that passes the loop's test.
  std::optional<Value> advance();
  std::optional<Value> pull();
  // Draws one item ahead.
  bool has_next();
  std::int64_t count();

  Iterator source;
  std::function<bool(const Value&)> test;  // empty when the loop has none
  std::int64_t index0 = -1;
  std::optional<std::int64_t> known_length;
  std::optional<Value> before, now;
  Values ahead;  // drawn but not yet given, next last
  std::optional<Values> last_changed;
};

}  // namespace reveille::text::jinja
