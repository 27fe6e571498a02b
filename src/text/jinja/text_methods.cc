// The methods of str that give strings and lists.
#include <map>

#include "base/error.h"
#include "text/jinja/args.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/methods.h"
#include "text/jinja/ops.h"
#include "text/jinja/unicode.h"

namespace reveille::text::jinja {
namespace {

using Change = std::string (*)(std::string_view);

Method change_case(const char* name, Change change) {
  return [name, change](Interpreter&, const Value& self, Args& args) -> Value {
    Bound bound(name, args, {}, 0);
    return derived_text(change(self.bytes()), self.text());
  };
}

Method strip(const char* name, bool left, bool right) {
  return [=](Interpreter&, const Value& self, Args& args) -> Value {
    Bound bound(name, args, {"/chars"}, 0);
    TextPtr chars = bound.none(0) ? nullptr : bound.text(0);
    return strip_text(self.text(), chars.get(), left, right);
  };
}

Method split(const char* name, bool from_right) {
  return [=](Interpreter& run, const Value& self, Args& args) -> Value {
    Bound bound(name, args, {"sep", "maxsplit"}, 0);
    run.step(self.weight());
    TextPtr separator = bound.none(0) ? nullptr : bound.text(0);
    return make_list(split_text(self.text(), separator.get(), bound.integer(1, -1), from_right));
  };
}

Method partition(const char* name, bool from_right) {
  return [=](Interpreter&, const Value& self, Args& args) -> Value {
    Bound bound(name, args, {"/sep"}, 1);
    TextPtr separator = bound.text(0);
    if (separator->bytes.empty()) fail_type(cat(name, "() wants a separator that is not empty"));
    std::size_t size = self.bytes().size();
    std::size_t at = from_right ? self.bytes().rfind(separator->bytes) : self.bytes().find(separator->bytes);
    if (at == std::string::npos) {
      const TextPtr nothing = slice_text(self.text(), 0, 0);  // Markup of a Markup
      return from_right ? make_tuple({nothing, nothing, self}) : make_tuple({self, nothing, nothing});
    }
    std::size_t after = at + separator->bytes.size();
    return make_tuple({slice_text(self.text(), 0, at), separator, slice_text(self.text(), after, size)});
  };
}

Value replace(Interpreter& run, const Value& self, Args& args) {
  Bound bound("replace", args, {"/old", "/new", "/count"}, 2);
  run.step(self.weight());
  Text with = *bound.text(1);
  if (self.text().safe) with = *escape_html(with);
  return replace_text(self.text(), *bound.text(0), with, bound.integer(2, -1));
}

Value join(Interpreter& run, const Value& self, Args& args) {
  Bound bound("join", args, {"/iterable"}, 1);
  Values items = items_of(run, bound.at(0));
  for (Value& item : items) {
    if (!item.is(Kind::text)) fail_type(cat("join() wants strings, got a ", item.type_name()));
    if (self.text().safe) item = escape_html(item.text());
  }
  return join_text(run, self.text(), items);
}

Value splitlines(Interpreter& run, const Value& self, Args& args) {
  Bound bound("splitlines", args, {"keepends"}, 0);
  run.step(self.weight());
  return make_list(split_lines(self.text(), bound.truthy(0)));
}

Value format(Interpreter& run, const Value& self, Args& args) {
  for (const Value& value : args.positional) run.step(value.weight());
  return brace_format(self.text(), args);
}

Value format_map(Interpreter&, const Value& self, Args& args) {
  Bound bound("format_map", args, {"/mapping"}, 1);
  if (!bound.at(0).is(Kind::mapping)) fail_type("format_map() wants a dict");
  Args named;
  for (const auto& [key, value] : bound.at(0).mapping().entries) {
    if (key.is(Kind::text)) named.named.emplace_back(key.bytes(), value);
  }
  return brace_format(self.text(), named);
}

Method remove_end(const char* name, bool prefix) {
  return [=](Interpreter&, const Value& self, Args& args) -> Value {
    Bound bound(name, args, {"/affix"}, 1);
    std::string_view bytes = self.bytes(), affix = bound.text(0)->bytes;
    if (prefix ? !bytes.starts_with(affix) : !bytes.ends_with(affix)) return self;
    if (prefix) return slice_text(self.text(), affix.size(), bytes.size());
    return slice_text(self.text(), 0, bytes.size() - affix.size());
  };
}

Method pad(const char* name, Pad place) {
  return [=](Interpreter&, const Value& self, Args& args) -> Value {
    Bound bound(name, args, {"/width", "/fillchar"}, 1);
    TextPtr fill = bound.has(1) ? bound.text(1) : plain_text(" ");
    if (count_chars(fill->bytes) != 1) fail_type(cat(name, "() wants one character to fill with"));
    return pad_text(self.text(), bound.integer(0), *fill, place);
  };
}

Value zfill(Interpreter&, const Value& self, Args& args) {
  Bound bound("zfill", args, {"/width"}, 1);
  const Text& text = self.text();
  bool sign = !text.bytes.empty() && (text.bytes[0] == '-' || text.bytes[0] == '+');
  TextPtr digits = slice_text(text, sign ? 1 : 0, text.bytes.size());
  TextPtr padded = pad_text(*digits, bound.integer(0) - (sign ? 1 : 0), *plain_text("0"), Pad::right);
  return sign ? concat_text(*slice_text(text, 0, 1), *padded) : padded;
}

const std::map<std::string_view, Method> kMethods = {
    {"upper", change_case("upper", to_upper)},
    {"lower", change_case("lower", to_lower)},
    {"title", change_case("title", to_title)},
    {"capitalize", change_case("capitalize", capitalize)},
    {"swapcase", change_case("swapcase", swap_case)},
    {"strip", strip("strip", true, true)},
    {"lstrip", strip("lstrip", true, false)},
    {"rstrip", strip("rstrip", false, true)},
    {"split", split("split", false)},
    {"rsplit", split("rsplit", true)},
    {"splitlines", splitlines},
    {"partition", partition("partition", false)},
    {"rpartition", partition("rpartition", true)},
    {"replace", replace},
    {"join", join},
    {"format", format},
    {"format_map", format_map},
    {"removeprefix", remove_end("removeprefix", true)},
    {"removesuffix", remove_end("removesuffix", false)},
    {"center", pad("center", Pad::center)},
    {"ljust", pad("ljust", Pad::left)},
    {"rjust", pad("rjust", Pad::right)},
    {"zfill", zfill},
};

Method unsupported(std::string_view name) {
  return [name](Interpreter&, const Value&, Args&) -> Value {
    fail(ErrorKind::unsupported, cat("the string method '", name, "' is not supported in a chat template"));
  };
}

const std::map<std::string_view, Method> kUnsupported = {
    {"casefold", unsupported("casefold")},     {"encode", unsupported("encode")},
    {"expandtabs", unsupported("expandtabs")}, {"isidentifier", unsupported("isidentifier")},
    {"maketrans", unsupported("maketrans")},   {"translate", unsupported("translate")},
};

}  // namespace

const Method* find_text_method(std::string_view name) {
  auto found = kMethods.find(name);
  if (found != kMethods.end()) return &found->second;
  found = kUnsupported.find(name);
  return found != kUnsupported.end() ? &found->second : nullptr;
}

}  // namespace reveille::text::jinja
