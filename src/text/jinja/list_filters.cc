#include <algorithm>
#include <unordered_map>

#include "base/error.h"
#include "base/strings.h"
#include "text/jinja/args.h"
#include "text/jinja/filters.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/methods.h"
#include "text/jinja/ops.h"

namespace reveille::text::jinja {
namespace {

Value count(Interpreter&, const Value& value, Args& args) {
  Bound bound("length", args, {}, 0);
  return length(value);
}

Value first(Interpreter& run, const Value& value, Args& args) {
  Bound bound("first", args, {}, 0);
  Iterator iterator(run, value);
  auto item = iterator.next();
  return item ? *item : Value::undefined("No first item, sequence was empty.");
}

Value last(Interpreter& run, const Value& value, Args& args) {
  Bound bound("last", args, {}, 0);
  bool reversible = value.is(Kind::text) || value.is(Kind::mapping) || value.is(Kind::undefined) ||
                    (value.is(Kind::sequence) && value.sequence().sized());
  if (!reversible) fail_type(cat("a ", value.type_name(), " has no last item"));
  Values items = items_of(run, value);
  return items.empty() ? Value::undefined("No last item, sequence was empty.") : items.back();
}

Value list(Interpreter& run, const Value& value, Args& args) {
  Bound bound("list", args, {}, 0);
  return make_list(items_of(run, value));
}

Value join(Interpreter& run, const Value& value, Args& args) {
  Bound bound("join", args, {"d", "attribute"}, 0);
  Values items = items_of(run, value);
  if (!bound.none(1)) {
    for (Value& item : items) item = attribute_path(item, bound.at(1));
  }
  return join_text(run, bound.has(0) ? *str_text(bound.at(0)) : *plain_text(""), items);
}

Value reverse(Interpreter& run, const Value& value, Args& args) {
  Bound bound("reverse", args, {}, 0);
  if (value.is(Kind::text)) return get_slice(run, value, nullptr, nullptr, -1);
  Values items = items_of(run, value);
  std::reverse(items.begin(), items.end());
  if (value.is(Kind::sequence) && !value.sequence().sized()) return make_list(std::move(items));
  return make_generator([items] { return items; }, value.depth());
}

Value items(Interpreter& run, const Value& value, Args& args) {
  Bound bound("items", args, {}, 0);
  Interpreter* runner = &run;
  return make_generator(
      [value, runner] {
        Values out;
        if (value.is(Kind::undefined)) return out;
        if (!value.is(Kind::mapping)) fail_type("items wants a dict");
        runner->step(value.mapping().entries.size());
        for (const auto& [key, held] : value.mapping().entries) out.push_back(make_tuple({key, held}));
        return out;
      },
      value.depth() + 1);
}

// Sorts by keys made beforehand; stable, and as in Python also when reversed.
Values sort_by(Interpreter& run, Values items, const std::function<Value(const Value&)>& key_of, bool reversed) {
  std::vector<std::pair<Value, std::size_t>> keys;
  for (std::size_t i = 0; i < items.size(); ++i) keys.emplace_back(key_of(items[i]), i);
  auto before = [&](const auto& a, const auto& b) {
    run.step(1 + std::min(a.first.weight(), b.first.weight()));
    return reversed ? less(b.first, a.first) : less(a.first, b.first);
  };
  std::stable_sort(keys.begin(), keys.end(), before);
  Values out;
  for (const auto& [key, i] : keys) out.push_back(items[i]);
  return out;
}

Value sort(Interpreter& run, const Value& value, Args& args) {
  Bound bound("sort", args, {"reverse", "case_sensitive", "attribute"}, 0);
  bool folded = !bound.truthy(1);
  Values paths = {bound.get(2, nullptr)};
  if (paths[0].is(Kind::text)) {
    std::string all = paths[0].bytes();
    paths.clear();
    for (const std::string& path : split(all, ",")) paths.emplace_back(path);
  }
  auto key_of = [&](const Value& item) {
    Values parts;
    for (const Value& path : paths) {
      Value part = attribute_path(item, path);
      parts.push_back(folded ? fold_case(part) : part);
    }
    return make_list(std::move(parts));
  };
  return make_list(sort_by(run, items_of(run, value), key_of, bound.truthy(0)));
}

Value dict_sort(Interpreter& run, const Value& value, Args& args) {
  Bound bound("dictsort", args, {"case_sensitive", "by", "reverse"}, 0);
  if (value.is(Kind::undefined)) fail_undefined(value);
  if (!value.is(Kind::mapping)) fail_type(cat("dictsort wants a dict, got a ", value.type_name()));
  std::string by = bound.has(1) ? str(bound.at(1)) : "key";
  if (by != "key" && by != "value") fail_type("dictsort sorts by \"key\" or by \"value\"");
  Values entries;
  for (const auto& [key, held] : value.mapping().entries) entries.push_back(make_tuple({key, held}));
  auto key_of = [&](const Value& entry) {
    const Value& part = entry.sequence().items[by == "key" ? 0 : 1];
    return bound.truthy(0) ? part : fold_case(part);
  };
  return make_list(sort_by(run, std::move(entries), key_of, bound.truthy(2)));
}

Value unique(Interpreter& run, const Value& value, Args& args) {
  Bound bound("unique", args, {"case_sensitive", "attribute"}, 0);
  bool folded = !bound.truthy(0);
  Value path = bound.get(1, nullptr);
  Interpreter* runner = &run;
  return make_generator(
      [=] {
        Mapping seen;
        Values out;
        for (const Value& item : items_of(*runner, value)) {
          Value key = attribute_path(item, path);
          if (folded) key = fold_case(key);
          if (!hashable(key)) fail_type(cat("unique cannot tell a ", key.type_name(), " from another"));
          if (seen.find(key)) continue;
          seen.set(key, true);
          out.push_back(item);
        }
        return out;
      },
      held_depth(value, args));
}

Value extreme(Interpreter& run, const Value& value, Args& args, bool greatest) {
  Bound bound(greatest ? "max" : "min", args, {"case_sensitive", "attribute"}, 0);
  bool folded = !bound.truthy(0);
  Values items = items_of(run, value);
  if (items.empty()) return Value::undefined("No aggregated item, sequence was empty.");
  auto key_of = [&](const Value& item) {
    Value key = attribute_path(item, bound.get(1, nullptr));
    return folded ? fold_case(key) : key;
  };
  Value best = items[0], best_key = key_of(items[0]);
  for (std::size_t i = 1; i < items.size(); ++i) {
    Value key = key_of(items[i]);
    run.step(std::min(key.weight(), best_key.weight()));
    if (!(greatest ? less(best_key, key) : less(key, best_key))) continue;
    best = items[i];
    best_key = key;
  }
  return best;
}

Value sum(Interpreter& run, const Value& value, Args& args) {
  Bound bound("sum", args, {"attribute", "start"}, 0);
  Value total = bound.get(1, 0);
  if (total.is(Kind::text)) fail_type("sum cannot add up strings; use join");
  for (const Value& item : items_of(run, value)) {
    Value part = bound.none(0) ? item : attribute_path(item, bound.at(0));
    total = arithmetic(run, "+", total, part);
  }
  return total;
}

Value batch(Interpreter& run, const Value& value, Args& args) {
  Bound bound("batch", args, {"linecount", "fill_with"}, 1);
  std::int64_t size = bound.integer(0);
  Value fill = bound.get(1, nullptr);
  Interpreter* runner = &run;
  auto make = [=] {
    Values out, line;
    for (const Value& item : items_of(*runner, value)) {
      if (static_cast<std::int64_t>(line.size()) == size) out.push_back(make_list(std::exchange(line, {})));
      line.push_back(item);
    }
    if (line.empty()) return out;
    if (!fill.is(Kind::none)) {
      runner->step(static_cast<std::size_t>(std::max<std::int64_t>(0, size)));
      while (static_cast<std::int64_t>(line.size()) < size) line.push_back(fill);
    }
    out.push_back(make_list(std::move(line)));
    return out;
  };
  return make_generator(make, held_depth(value, args));
}

Value slice(Interpreter& run, const Value& value, Args& args) {
  Bound bound("slice", args, {"slices", "fill_with"}, 1);
  std::int64_t count = bound.integer(0);
  if (count == 0) fail_type("slice wants at least one slice");
  Values all = items_of(run, value), out;
  run.step(static_cast<std::size_t>(std::max<std::int64_t>(0, count)));
  auto size = static_cast<std::int64_t>(all.size());
  std::size_t at = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    auto length = static_cast<std::size_t>(size / count + (i < size % count ? 1 : 0));
    Values part(all.begin() + static_cast<long>(at), all.begin() + static_cast<long>(at + length));
    at += length;
    if (!bound.none(1) && i >= size % count) part.push_back(bound.at(1));
    out.push_back(make_list(std::move(part)));
  }
  return make_generator([out] { return out; }, held_depth(value, args) + 1);
}

Value otherwise(Interpreter&, const Value& value, Args& args) {
  Bound bound("default", args, {"default_value", "boolean"}, 0);
  bool replaced = value.is(Kind::undefined) || (bound.truthy(1) && !value.truthy());
  return replaced ? bound.get(0, "") : value;
}

Value attribute(Interpreter&, const Value& value, Args& args) {
  Bound bound("attr", args, {"name"}, 1);
  if (value.is(Kind::undefined)) fail_undefined(value);
  // Not the keys of a dict.
  if (value.is(Kind::mapping) && !find_method(value, bound.text(0)->bytes)) {
    return Value::undefined(cat("'dict object' has no attribute '", bound.text(0)->bytes, "'"));
  }
  return get_attribute(value, bound.text(0)->bytes);
}

}  // namespace

const FilterTable& list_filters() {
  static const FilterTable kFilters = {
      {"length", count},
      {"count", count},
      {"first", first},
      {"last", last},
      {"list", list},
      {"join", join},
      {"reverse", reverse},
      {"items", items},
      {"sort", sort},
      {"dictsort", dict_sort},
      {"unique", unique},
      {"min", [](Interpreter& run, const Value& value, Args& args) { return extreme(run, value, args, false); }},
      {"max", [](Interpreter& run, const Value& value, Args& args) { return extreme(run, value, args, true); }},
      {"sum", sum},
      {"batch", batch},
      {"slice", slice},
      {"default", otherwise},
      {"d", otherwise},
      {"attr", attribute},
  };
  return kFilters;
}

}  // namespace reveille::text::jinja
