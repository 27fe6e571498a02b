// The filters and tests of the template language. Which there are: jinja2's own, but for those that
// make web pages or draw at random.
#pragma once

#include <functional>
#include <map>
#include <string_view>

#include "text/jinja/value.h"

namespace reveille::text::jinja {

using Filter = std::function<Value(Interpreter&, const Value&, Args&)>;
using FilterTable = std::map<std::string_view, Filter>;
using Test = std::function<bool(Interpreter&, const Value&, Args&)>;

const FilterTable& text_filters();
const FilterTable& number_filters();
const FilterTable& list_filters();
const FilterTable& select_filters();
const std::map<std::string_view, Test>& tests();

// The filter of this name, or null.
const Filter* find_filter(std::string_view name);

// attribute='a.b.0' of a value; a missing step on the way is an Error, as in Python.
Value attribute_path(const Value& value, const Value& path, const Value* otherwise = nullptr);
// How deep a generator nests that holds the value and the arguments.
int held_depth(const Value& value, const Args& args);
// For sorting without regard to case.
Value fold_case(const Value& value);

}  // namespace reveille::text::jinja
