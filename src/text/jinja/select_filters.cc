// map, select, reject and groupby: filters that apply filters, tests or attributes to each item.
#include <algorithm>

#include "base/error.h"
#include "text/jinja/args.h"
#include "text/jinja/filters.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/ops.h"

namespace reveille::text::jinja {
namespace {

using Each = std::function<Value(const Value&)>;

Value take_first(Args& args, const char* missing) {
  if (args.positional.empty()) fail_type(missing);
  Value value = args.positional[0];
  args.positional.erase(args.positional.begin());
  return value;
}

Each mapper(Interpreter& run, Args args) {
  bool by_attribute =
      args.positional.empty() &&
      std::any_of(args.named.begin(), args.named.end(), [](const auto& named) { return named.first == "attribute"; });
  if (by_attribute) {
    Value path = *take_named(args, "attribute"), otherwise = take_named(args, "default").value_or(nullptr);
    if (!args.named.empty()) fail_type(cat("map takes no argument named '", args.named[0].first, "'"));
    return
        [=](const Value& item) { return attribute_path(item, path, otherwise.is(Kind::none) ? nullptr : &otherwise); };
  }
  Value name = take_first(args, "map wants the name of a filter, or attribute=...");
  Interpreter* runner = &run;
  return [=](const Value& item) { return runner->apply_filter(str(name), item, args); };
}

Value map(Interpreter& run, const Value& value, Args& args) {
  Interpreter* runner = &run;
  return make_generator(
      [=] {
        Values out;
        if (!value.truthy()) return out;
        Each each = mapper(*runner, args);
        for (const Value& item : items_of(*runner, value)) out.push_back(each(item));
        return out;
      },
      held_depth(value, args));
}

// select, reject, selectattr, rejectattr.
Filter chooser(bool wanted, bool by_attribute) {
  return [=](Interpreter& run, const Value& value, Args& args) -> Value {
    Interpreter* runner = &run;
    auto make = [=] {
      Values out;
      if (!value.truthy()) return out;
      Args rest = args;
      Value path = by_attribute ? take_first(rest, "selectattr and rejectattr want the name of an attribute") : nullptr;
      bool tested = !rest.positional.empty();
      Value name = tested ? take_first(rest, "") : nullptr;
      for (const Value& item : items_of(*runner, value)) {
        Value subject = attribute_path(item, path);
        bool holds = tested ? runner->apply_test(str(name), subject, rest) : subject.truthy();
        if (holds == wanted) out.push_back(item);
      }
      return out;
    };
    return make_generator(make, held_depth(value, args));
  };
}

Value group_by(Interpreter& run, const Value& value, Args& args) {
  Bound bound("groupby", args, {"attribute", "default", "case_sensitive"}, 1);
  bool folded = !bound.truthy(2);
  Value otherwise = bound.get(1, nullptr);
  auto plain_key = [&](const Value& item) {
    return attribute_path(item, bound.at(0), otherwise.is(Kind::none) ? nullptr : &otherwise);
  };
  std::vector<std::pair<Value, Value>> keyed;
  for (const Value& item : items_of(run, value)) {
    Value key = plain_key(item);
    keyed.emplace_back(folded ? fold_case(key) : key, item);
  }
  std::stable_sort(keyed.begin(), keyed.end(), [&](const auto& a, const auto& b) {
    run.step(std::min(a.first.weight(), b.first.weight()));
    return less(a.first, b.first);
  });
  Values groups;
  for (std::size_t begin = 0; begin < keyed.size();) {
    std::size_t end = begin;
    Values members;
    while (end < keyed.size() && equal(keyed[end].first, keyed[begin].first)) members.push_back(keyed[end++].second);
    groups.push_back(make_tuple({plain_key(keyed[begin].second), make_list(std::move(members))}));
    begin = end;
  }
  return make_list(std::move(groups));
}

}  // namespace

const FilterTable& select_filters() {
  static const FilterTable kFilters = {
      {"map", map},
      {"select", chooser(true, false)},
      {"reject", chooser(false, false)},
      {"selectattr", chooser(true, true)},
      {"rejectattr", chooser(false, true)},
      {"groupby", group_by},
  };
  return kFilters;
}

}  // namespace reveille::text::jinja
