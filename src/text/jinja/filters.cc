#include "text/jinja/filters.h"

#include <algorithm>
#include <iterator>

#include "base/error.h"
#include "base/strings.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/literal.h"
#include "text/jinja/ops.h"
#include "text/jinja/unicode.h"

namespace reveille::text::jinja {
namespace {

constexpr std::string_view kUnsupported[] = {"filesizeformat", "pprint", "random",  "striptags",
                                             "urlencode",      "urlize", "xmlattr", "wordwrap"};

}  // namespace

const Filter* find_filter(std::string_view name) {
  for (const FilterTable* table : {&text_filters(), &number_filters(), &list_filters(), &select_filters()}) {
    auto found = table->find(name);
    if (found != table->end()) return &found->second;
  }
  return nullptr;
}

Value Interpreter::apply_filter(const std::string& name, Value value, Args args) {
  step();
  if (const Filter* filter = find_filter(name)) return (*filter)(*this, value, args);
  bool known = std::find(std::begin(kUnsupported), std::end(kUnsupported), name) != std::end(kUnsupported);
  fail(ErrorKind::unsupported, cat(known ? "the filter '" : "there is no filter '", name,
                                   known ? "' is not supported in a chat template" : "'"));
}

bool Interpreter::apply_test(const std::string& name, const Value& value, Args args) {
  step();
  auto found = tests().find(name);
  if (found == tests().end()) fail(ErrorKind::unsupported, cat("there is no test '", name, "'"));
  return found->second(*this, value, args);
}

Value attribute_path(const Value& value, const Value& path, const Value* otherwise) {
  if (path.is(Kind::none)) return value;
  auto follow = [&](const Value& from, const Value& key) {
    Value found = get_item(from, key);
    return otherwise && found.is(Kind::undefined) ? *otherwise : found;
  };
  if (!path.is(Kind::text)) return follow(value, path);
  Value out = value;
  for (const std::string& part : split(path.bytes(), ".")) {
    bool number = !part.empty() && std::all_of(part.begin(), part.end(), [](char c) { return c >= '0' && c <= '9'; });
    auto index = number ? parse_integer(part, 10) : std::nullopt;
    out = follow(out, index ? *index : Value(part));
  }
  return out;
}

int held_depth(const Value& value, const Args& args) {
  int depth = value.depth();
  for (const Value& argument : args.positional) depth = std::max(depth, argument.depth());
  for (const auto& [name, argument] : args.named) depth = std::max(depth, argument.depth());
  return depth + 1;
}

Value fold_case(const Value& value) { return value.is(Kind::text) ? Value(to_lower(value.bytes())) : value; }

}  // namespace reveille::text::jinja
