// Methods of strings, dicts, lists and tuples.
#pragma once

#include <functional>
#include <string_view>

#include "text/jinja/value.h"

namespace reveille::text::jinja {

using Method = std::function<Value(Interpreter&, const Value& self, Args&)>;

// The method of this name that values of this kind have, or null. Methods that change a list or a
// dict are not there: chat templates run in jinja2's immutable sandbox.
const Method* find_method(const Value& object, std::string_view name);
// Whether the sandbox hides this attribute (it then reads as undefined, with an Error that says so
// when it is used).
bool hidden_attribute(const Value& object, std::string_view name);

// Tables of the kinds, each in a file of its own.
const Method* find_text_method(std::string_view name);
const Method* find_text_query(std::string_view name);
const Method* find_container_method(const Value& object, std::string_view name);

// str.split(separator, limit) and friends, shared with the filters.
Values split_text(const Text& text, const Text* separator, std::int64_t limit, bool from_right);
Values split_lines(const Text& text, bool keep_ends);
TextPtr strip_text(const Text& text, const Text* chars, bool left, bool right);
TextPtr replace_text(const Text& text, const Text& old, const Text& with, std::int64_t count);
TextPtr join_text(Interpreter& run, const Text& separator, const Values& items);
enum class Pad { left, right, center, format_center };  // where the text goes
TextPtr pad_text(const Text& text, std::int64_t width, const Text& fill, Pad place);

// `format % values` and `format.format(...)`.
TextPtr percent_format(const Text& format, const Value& values);
TextPtr brace_format(const Text& format, const Args& args);

}  // namespace reveille::text::jinja
