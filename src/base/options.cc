#include "base/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <functional>

#include "base/error.h"
#include "base/strings.h"

namespace reveille {
namespace {

// Calls a function for every option.
class Each : public OptionVisitor {
 public:
  using Function = std::function<void(std::string_view, OptionRef, const OptionMeta&)>;
  explicit Each(Function function) : function_(std::move(function)) {}

 private:
  void visit_option(std::string_view name, OptionRef value, const OptionMeta& meta) override {
    function_(name, value, meta);
  }
  Function function_;
};

void for_each(OptionsView options, Each::Function function) {
  Each each(std::move(function));
  options.visit(each);
}

struct Where {
  std::string_view key, value;
  const std::string& place;
  [[noreturn]] void reject(const std::string& expected) const {
    fail(ErrorKind::usage, cat(place, ": ", key, "=", value, ": expected ", expected));
  }
};

void check_range(double number, const OptionMeta& meta, const Where& where) {
  if (std::isnan(number) || number < meta.min || number > meta.max) {
    std::string expected = "a number";
    if (std::isfinite(meta.min)) expected += cat(" of at least ", meta.min);
    if (std::isfinite(meta.max)) expected += cat(std::isfinite(meta.min) ? " and" : "", " at most ", meta.max);
    where.reject(expected);
  }
}

template <class Number>
Number parse_number(std::string_view text, const char* expected, const Where& where) {
  Number number{};
  if (!text.empty() && text.front() == '+') text.remove_prefix(1);
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc() || end != text.data() + text.size()) where.reject(expected);
  return number;
}

bool parse_bool(std::string_view text, const Where& where) {
  std::string low = lower_ascii(text);
  if (low == "true" || low == "1" || low == "yes" || low == "on") return true;
  if (low == "false" || low == "0" || low == "no" || low == "off") return false;
  where.reject("true or false");
}

void check_choice(const std::string& text, const OptionMeta& meta, const Where& where) {
  if (meta.choices.empty()) return;
  for (const auto& one : meta.several ? split(text, "+") : std::vector<std::string>{text}) {
    if (std::find(meta.choices.begin(), meta.choices.end(), one) != meta.choices.end()) continue;
    where.reject("one of " + join(meta.choices, ", ") + (meta.several ? ", or several with a + between" : "") +
                 did_you_mean(one, meta.choices));
  }
}

void assign(OptionRef target, std::string_view text, const OptionMeta& meta, const Where& where) {
  if (auto* b = std::get_if<bool*>(&target)) {
    **b = parse_bool(text, where);
  } else if (auto* i = std::get_if<std::int64_t*>(&target)) {
    auto number = parse_number<std::int64_t>(text, "a whole number", where);
    check_range(static_cast<double>(number), meta, where);
    **i = number;
  } else if (auto* d = std::get_if<double*>(&target)) {
    auto number = parse_number<double>(text, "a number", where);
    check_range(number, meta, where);
    **d = number;
  } else if (auto* s = std::get_if<std::string*>(&target)) {
    check_choice(std::string(text), meta, where);
    **s = text;
  } else {
    auto& list = *std::get<std::vector<std::string>*>(target);
    list.clear();
    if (!trim(text).empty()) {
      for (auto& part : split(text, ",")) list.emplace_back(trim(part));
    }
    for (auto& item : list) check_choice(item, meta, where);
  }
}

Json value_json(OptionRef value) {
  return std::visit([](auto* pointer) { return Json(*pointer); }, value);
}

std::string type_name(OptionRef value) {
  static constexpr const char* kNames[] = {"true|false", "integer", "number", "text", "list"};
  return kNames[value.index()];
}

bool matches(std::string_view key, std::string_view name, const OptionMeta& meta) {
  return key == name || std::find(meta.aliases.begin(), meta.aliases.end(), key) != meta.aliases.end();
}

std::string scalar_text(const Json& value, std::string_view key, const std::string& where) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_null() || value.is_object()) {
    fail(ErrorKind::usage, cat(where, ": ", key, ": expected a plain value, found ", value.type_name()));
  }
  if (value.is_array()) {
    std::vector<std::string> items;
    for (const auto& item : value) items.push_back(scalar_text(item, key, where));
    return join(items, ",");
  }
  return value.dump();
}

}  // namespace

std::vector<OptionDescription> describe_options(OptionsView options) {
  std::vector<OptionDescription> out;
  for_each(options, [&](std::string_view name, OptionRef value, const OptionMeta& meta) {
    out.push_back({std::string(name), type_name(value), scalar_text(value_json(value), name, "options"), meta});
  });
  return out;
}

std::vector<std::string> option_names(OptionsView options) {
  std::vector<std::string> names;
  for_each(options, [&](std::string_view name, OptionRef, const OptionMeta&) { names.emplace_back(name); });
  return names;
}

bool try_set_option(OptionsView options, std::string_view key, std::string_view value, const std::string& where) {
  std::string wanted = replace_all(std::string(key), "-", "_");
  bool found = false;
  for_each(options, [&](std::string_view name, OptionRef target, const OptionMeta& meta) {
    if (found || !matches(wanted, name, meta)) return;
    found = true;
    assign(target, value, meta, Where{key, value, where});
  });
  return found;
}

void set_option(OptionsView options, std::string_view key, std::string_view value, const std::string& where) {
  if (!try_set_option(options, key, value, where)) {
    fail(ErrorKind::usage, cat(where, ": unknown key '", key, "'", did_you_mean(key, option_names(options))));
  }
}

std::pair<std::string, std::string> split_assignment(std::string_view text) {
  std::size_t at = text.find('=');
  if (at == std::string_view::npos || at == 0) {
    fail(ErrorKind::usage, cat("'", text, "' is neither an option nor key=value"));
  }
  return {std::string(trim(text.substr(0, at))), std::string(trim(text.substr(at + 1)))};
}

Json options_to_json(OptionsView options) {
  Json out = Json::object();
  for_each(options, [&](std::string_view name, OptionRef value, const OptionMeta&) {
    out[std::string(name)] = value_json(value);
  });
  return out;
}

void options_from_json(OptionsView options, const Json& object, const std::string& where) {
  if (!object.is_object()) fail(ErrorKind::usage, cat(where, ": expected keys and values"));
  for (const auto& entry : object.items()) {
    const std::string& key = entry.key();
    const Json& value = entry.value();
    if (value.is_array()) {
      // A list option takes its items as they are (they may hold commas).
      bool found = false;
      for_each(options, [&](std::string_view name, OptionRef target, const OptionMeta& meta) {
        auto* list = std::get_if<std::vector<std::string>*>(&target);
        if (!list || !matches(key, name, meta)) return;
        found = true;
        (*list)->clear();
        for (const auto& item : value) (*list)->push_back(scalar_text(item, key, where));
        for (const auto& item : **list) check_choice(item, meta, Where{key, item, where});
      });
      if (found) continue;
    }
    set_option(options, key, scalar_text(value, key, where), where);
  }
}

}  // namespace reveille
