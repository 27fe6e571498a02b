// The functions that every template sees.
#include <cstdint>

#include "base/error.h"
#include "text/jinja/args.h"
#include "text/jinja/date.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/ops.h"

namespace reveille::text::jinja {
namespace {

// jinja2's sandbox has the same bound.
constexpr std::int64_t kMaxRange = 100'000;

Value range(Interpreter& run, Args& args) {
  Bound bound("range", args, {"/start", "/stop", "/step"}, 1);
  auto out = std::make_shared<Sequence>();
  out->kind = SequenceKind::range;
  out->start = bound.has(1) ? bound.integer(0) : 0;
  out->stop = bound.has(1) ? bound.integer(1) : bound.integer(0);
  out->step = bound.integer(2, 1);
  if (out->step == 0) fail_type("the step of range() is zero");
  std::int64_t at = out->start;
  while (out->step > 0 ? at < out->stop : at > out->stop) {
    if (static_cast<std::int64_t>(out->items.size()) >= kMaxRange) {
      fail(ErrorKind::bad_input, cat("range() gives more than ", kMaxRange, " numbers, the limit"));
    }
    out->items.emplace_back(at);
    if (__builtin_add_overflow(at, out->step, &at)) break;
  }
  run.step(out->items.size());
  out->depth = 2;
  out->weight = 1 + out->items.size();
  return out;
}

// dict(mapping or pairs, **more), also for namespace().
Mapping mapping_of(Interpreter& run, Args& args, const char* who) {
  if (args.positional.size() > 1)
    fail_type(cat(who, "() takes at most 1 argument in order, got ", args.positional.size()));
  Mapping out;
  if (!args.positional.empty()) {
    const Value& from = args.positional[0];
    if (from.is(Kind::mapping)) {
      out = from.mapping();
    } else {
      for (const Value& pair : items_of(run, from)) {
        Values parts = items_of(run, pair);
        if (parts.size() != 2) fail_type(cat(who, "() wants pairs of key and value"));
        out.set(parts[0], parts[1]);
      }
    }
  }
  for (auto& [name, value] : args.named) out.set(plain_text(name), value);
  return out;
}

Value dict(Interpreter& run, Args& args) {
  return std::shared_ptr<const Mapping>(std::make_shared<Mapping>(mapping_of(run, args, "dict")));
}

Value name_space(Interpreter& run, Args& args) {
  Mapping attributes = mapping_of(run, args, "namespace");
  for (const auto& [key, value] : attributes.entries) {
    if (key.is(Kind::text) && key.bytes().starts_with("_")) {
      fail_type(cat("the namespace attribute '", key.bytes(), "' begins with an underscore"));
    }
  }
  return run.new_namespace(std::move(attributes));
}

Value joiner(Interpreter&, Args& args) {
  Bound bound("joiner", args, {"sep"}, 0);
  Value separator = bound.get(0, ", ");
  auto used = std::make_shared<bool>(false);
  return make_function(
      "joiner",
      [separator, used](Interpreter&, Args& call_args) -> Value {
        Bound none("joiner", call_args, {}, 0);
        return std::exchange(*used, true) ? separator : Value("");
      },
      separator.depth() + 1);
}

Value raise_exception(Interpreter&, Args& args) {
  Bound bound("raise_exception", args, {"message"}, 1);
  fail(ErrorKind::bad_input, cat("the template refuses this conversation: ", str(bound.at(0))));
}

Value strftime_now(Interpreter& run, Args& args) {
  Bound bound("strftime_now", args, {"format"}, 1);
  return marked_text(format_date(run.date(), bound.text(0)->bytes), kFromTemplate);
}

}  // namespace

const std::map<std::string, Value, std::less<>>& globals() {
  static const std::map<std::string, Value, std::less<>> kGlobals = {
      {"range", make_function("range", range)},
      {"dict", make_function("dict", dict)},
      {"namespace", make_function("namespace", name_space)},
      {"joiner", make_function("joiner", joiner)},
      {"raise_exception", make_function("raise_exception", raise_exception)},
      {"strftime_now", make_function("strftime_now", strftime_now)},
  };
  return kGlobals;
}

}  // namespace reveille::text::jinja
