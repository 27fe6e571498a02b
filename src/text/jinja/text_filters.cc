#include <algorithm>

#include "base/error.h"
#include "text/jinja/args.h"
#include "text/jinja/filters.h"
#include "text/jinja/interpreter.h"
#include "text/jinja/json_values.h"
#include "text/jinja/methods.h"
#include "text/jinja/ops.h"
#include "text/jinja/unicode.h"

namespace reveille::text::jinja {
namespace {

Filter change_case(const char* name, std::string (*change)(std::string_view)) {
  return [=](Interpreter& run, const Value& value, Args& args) -> Value {
    Bound bound(name, args, {}, 0);
    run.step(value.weight());
    TextPtr text = str_text(value);
    return derived_text(change(text->bytes), *text);
  };
}

// Jinja's own title: words begin after white space, hyphens and opening brackets.
std::string title(std::string_view text) {
  std::string out;
  std::size_t word = 0;
  auto flush = [&](std::size_t end) {
    if (end == word) return;
    std::size_t first = word;
    next_char(text, first);
    out += to_upper(text.substr(word, first - word)) + to_lower(text.substr(first, end - first));
  };
  for (std::size_t at = 0; at < text.size();) {
    std::size_t begin = at;
    char32_t c = next_char(text, at);
    if (!is_space(c) && c != '-' && c != '(' && c != '{' && c != '[' && c != '<') continue;
    flush(begin);
    out += text.substr(begin, at - begin);
    word = at;
  }
  flush(text.size());
  return out;
}

Value trim(Interpreter& run, const Value& value, Args& args) {
  Bound bound("trim", args, {"chars"}, 0);
  run.step(value.weight());
  TextPtr chars = bound.none(0) ? nullptr : bound.text(0);
  return strip_text(*str_text(value), chars.get(), true, true);
}

TextPtr unsafe(const TextPtr& text) {
  if (!text->safe) return text;
  Text copy = *text;
  copy.safe = false;
  return std::make_shared<Text>(std::move(copy));
}

Value replace(Interpreter& run, const Value& value, Args& args) {
  Bound bound("replace", args, {"old", "new", "count"}, 2);
  run.step(value.weight());
  std::int64_t count = bound.none(2) ? -1 : bound.integer(2);
  return replace_text(*unsafe(str_text(value)), *str_text(bound.at(0)), *str_text(bound.at(1)), count);
}

Value string(Interpreter& run, const Value& value, Args& args) {
  Bound bound("string", args, {}, 0);
  run.step(value.weight());
  return str_text(value);
}

Value safe(Interpreter& run, const Value& value, Args& args) {
  Bound bound("safe", args, {}, 0);
  run.step(value.weight());
  Text copy = *str_text(value);
  copy.safe = true;
  return TextPtr(std::make_shared<Text>(std::move(copy)));
}

Value escape(Interpreter& run, const Value& value, Args& args) {
  Bound bound("escape", args, {}, 0);
  run.step(value.weight());
  return escape_html(*str_text(value));
}

Value force_escape(Interpreter& run, const Value& value, Args& args) {
  Bound bound("forceescape", args, {}, 0);
  run.step(value.weight());
  return escape_html(*unsafe(str_text(value)));
}

Value indent(Interpreter& run, const Value& value, Args& args) {
  Bound bound("indent", args, {"width", "first", "blank"}, 0);
  if (value.is(Kind::undefined)) fail_undefined(value);
  if (!value.is(Kind::text)) fail_type(cat("indent wants a string, got a ", value.type_name()));
  run.step(value.weight());
  bool given = bound.has(0) && bound.at(0).is(Kind::text);
  std::int64_t width = given ? 0 : bound.integer(0, 4);
  check_text_size(static_cast<std::size_t>(std::max<std::int64_t>(0, width)));
  TextPtr space =
      given ? bound.text(0) : plain_text(std::string(static_cast<std::size_t>(std::max<std::int64_t>(0, width)), ' '));
  Values lines = split_lines(*concat_text(value.text(), *plain_text("\n")), false);
  TextBuilder out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i) out.add("\n");
    bool indented = i == 0 ? bound.truthy(1) : bound.truthy(2) || !lines[i].bytes().empty();
    if (indented) out.add(*space);
    out.add(lines[i].text());
  }
  return out.take(value.text().safe);
}

Value tojson(Interpreter& run, const Value& value, Args& args) {
  Bound bound("tojson", args, {"ensure_ascii", "indent", "separators", "sort_keys"}, 0);
  JsonStyle style;
  style.ascii = bound.truthy(0);
  style.sort_keys = bound.truthy(3);
  if (!bound.none(1)) {
    bool is_text = bound.at(1).is(Kind::text);
    std::int64_t width = is_text ? 0 : std::clamp<std::int64_t>(bound.integer(1), 0, 1000);
    style.indent = is_text ? bound.at(1).bytes() : std::string(static_cast<std::size_t>(width), ' ');
    style.item_separator = ",";
  }
  if (!bound.none(2)) {
    Values pair = items_of(run, bound.at(2));
    if (pair.size() != 2) fail_type("tojson wants two separators");
    style.item_separator = str(pair[0]);
    style.key_separator = str(pair[1]);
  }
  return to_json(run, value, style);
}

Value center(Interpreter&, const Value& value, Args& args) {
  Bound bound("center", args, {"width"}, 0);
  return pad_text(*str_text(value), bound.integer(0, 80), *plain_text(" "), Pad::center);
}

Value format(Interpreter& run, const Value& value, Args& args) {
  if (!args.positional.empty() && !args.named.empty()) fail_type("format wants values either in order or by name");
  run.step(value.weight());
  if (args.named.empty()) return percent_format(*str_text(value), make_tuple(args.positional));
  auto named = std::make_shared<Mapping>();
  for (auto& [name, held] : args.named) named->set(plain_text(name), held);
  return percent_format(*str_text(value), std::shared_ptr<const Mapping>(named));
}

Value truncate(Interpreter& run, const Value& value, Args& args) {
  Bound bound("truncate", args, {"length", "killwords", "end", "leeway"}, 0);
  run.step(value.weight());
  TextPtr end = bound.has(2) ? bound.text(2) : plain_text("...");
  auto end_size = static_cast<std::int64_t>(count_chars(end->bytes));
  std::int64_t size = bound.integer(0, 255), leeway = bound.none(3) ? 5 : bound.integer(3);
  if (size < end_size || leeway < 0) fail_type("truncate got a length shorter than its end, or a negative leeway");
  if (length(value) <= size + leeway) return value;
  if (!value.is(Kind::text)) fail_type(cat("truncate wants a string, got a ", value.type_name()));
  std::size_t keep = byte_of_char(value.bytes(), static_cast<std::size_t>(size - end_size));
  if (!bound.truthy(1)) {
    std::size_t space = std::string_view(value.bytes()).substr(0, keep).rfind(' ');
    if (space != std::string_view::npos) keep = space;
  }
  return concat_text(*slice_text(value.text(), 0, keep), *end);
}

Value word_count(Interpreter& run, const Value& value, Args& args) {
  Bound bound("wordcount", args, {}, 0);
  run.step(value.weight());
  TextPtr text = str_text(value);
  std::int64_t words = 0;
  bool inside = false;
  for (std::size_t at = 0; at < text->bytes.size();) {
    bool word = is_name_char(next_char(text->bytes, at));
    words += word && !inside;
    inside = word;
  }
  return words;
}

}  // namespace

const FilterTable& text_filters() {
  static const FilterTable kFilters = {
      {"upper", change_case("upper", to_upper)},
      {"lower", change_case("lower", to_lower)},
      {"capitalize", change_case("capitalize", capitalize)},
      {"title", change_case("title", title)},
      {"trim", trim},
      {"replace", replace},
      {"string", string},
      {"safe", safe},
      {"escape", escape},
      {"e", escape},
      {"forceescape", force_escape},
      {"indent", indent},
      {"tojson", tojson},
      {"center", center},
      {"format", format},
      {"truncate", truncate},
      {"wordcount", word_count},
  };
  return kFilters;
}

}  // namespace reveille::text::jinja
