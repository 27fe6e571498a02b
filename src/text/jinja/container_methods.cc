// The methods of dicts, lists and tuples, and what the sandbox hides.
#include <algorithm>
#include <map>

#include "base/error.h"
#include "text/jinja/args.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/methods.h"

namespace reveille::text::jinja {
namespace {

template <class Pick>
Method view(const char* name, SequenceKind kind, Pick pick) {
  return [=](Interpreter& run, const Value& self, Args& args) -> Value {
    Bound bound(name, args, {}, 0);
    Values items;
    for (const auto& entry : self.mapping().entries) items.push_back(pick(entry));
    run.step(items.size());
    return make_sequence(kind, std::move(items));
  };
}

using Entry = std::pair<Value, Value>;

Value get(Interpreter&, const Value& self, Args& args) {
  Bound bound("get", args, {"/key", "/default"}, 1);
  if (!hashable(bound.at(0))) fail_type(cat("a ", bound.at(0).type_name(), " cannot be the key of a dict"));
  const Value* found = self.mapping().find(bound.at(0));
  return found ? *found : bound.get(1, nullptr);
}

Value copy(Interpreter&, const Value& self, Args& args) {
  Bound bound("copy", args, {}, 0);
  return self;
}

Value count(Interpreter& run, const Value& self, Args& args) {
  Bound bound("count", args, {"/value"}, 1);
  const Values& items = self.sequence().items;
  run.step(items.size());
  return static_cast<std::int64_t>(
      std::count_if(items.begin(), items.end(), [&](const Value& item) { return equal(item, bound.at(0)); }));
}

Value index(Interpreter& run, const Value& self, Args& args) {
  Bound bound("index", args, {"/value"}, 1);
  const Values& items = self.sequence().items;
  run.step(items.size());
  auto found = std::find_if(items.begin(), items.end(), [&](const Value& item) { return equal(item, bound.at(0)); });
  if (found == items.end()) fail_type("index(): the value is not in the list");
  return static_cast<std::int64_t>(found - items.begin());
}

const std::map<std::string_view, Method> kMapping = {
    {"items", view("items", SequenceKind::items,
                   [](const Entry& e) {
                     return make_tuple({e.first, e.second});
                   })},
    {"keys", view("keys", SequenceKind::keys, [](const Entry& e) { return e.first; })},
    {"values", view("values", SequenceKind::values, [](const Entry& e) { return e.second; })},
    {"get", get},
    {"copy", copy},
};
const std::map<std::string_view, Method> kList = {{"count", count}, {"index", index}, {"copy", copy}};
const std::map<std::string_view, Method> kTuple = {{"count", count}, {"index", index}};

const Method* look(const std::map<std::string_view, Method>& table, std::string_view name) {
  auto found = table.find(name);
  return found != table.end() ? &found->second : nullptr;
}

}  // namespace

const Method* find_container_method(const Value& object, std::string_view name) {
  if (object.is(Kind::mapping)) return look(kMapping, name);
  if (!object.is(Kind::sequence)) return nullptr;
  SequenceKind kind = object.sequence().kind;
  if (kind == SequenceKind::list) return look(kList, name);
  return kind == SequenceKind::tuple || kind == SequenceKind::range ? look(kTuple, name) : nullptr;
}

const Method* find_method(const Value& object, std::string_view name) {
  if (!object.is(Kind::text)) return find_container_method(object, name);
  const Method* method = find_text_method(name);
  return method ? method : find_text_query(name);
}

bool hidden_attribute(const Value& object, std::string_view name) {
  static constexpr std::string_view kMappingChanges[] = {"clear", "pop", "popitem", "setdefault", "update"};
  static constexpr std::string_view kListChanges[] = {"append", "clear", "pop",    "reverse",
                                                      "insert", "sort",  "extend", "remove"};
  auto among = [&](const auto& names) {
    return std::find(std::begin(names), std::end(names), name) != std::end(names);
  };
  if (object.is(Kind::mapping)) return among(kMappingChanges) || name == "__class__";
  if (object.is(Kind::sequence) && object.sequence().kind == SequenceKind::list)
    return among(kListChanges) || name == "__class__";
  return name == "__class__";
}

}  // namespace reveille::text::jinja
