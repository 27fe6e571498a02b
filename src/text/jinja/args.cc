#include "text/jinja/args.h"

#include <algorithm>

#include "base/error.h"

namespace reveille::text::jinja {

std::optional<Value> take_named(Args& args, std::string_view name) {
  auto found =
      std::find_if(args.named.begin(), args.named.end(), [&](const auto& entry) { return entry.first == name; });
  if (found == args.named.end()) return std::nullopt;
  std::optional<Value> out(found->second);
  args.named.erase(found);
  return out;
}

Bound::Bound(std::string_view who, Args& args, std::initializer_list<std::string_view> parameters, std::size_t required)
    : who_(who), values_(parameters.size()) {
  if (args.positional.size() > parameters.size()) {
    fail_type(cat(who, "() takes at most ", parameters.size(), " arguments, got ", args.positional.size()));
  }
  for (std::size_t i = 0; i < args.positional.size(); ++i) values_[i] = args.positional[i];
  for (auto& [name, value] : args.named) {
    auto found = std::find(parameters.begin(), parameters.end(), std::string_view(name));
    if (found == parameters.end()) fail_type(cat(who, "() takes no argument named '", name, "'"));
    auto& slot = values_[static_cast<std::size_t>(found - parameters.begin())];
    if (slot) fail_type(cat(who, "() got the argument '", name, "' twice"));
    slot = value;
  }
  for (std::size_t i = 0; i < required; ++i) {
    if (!values_[i]) fail_type(cat(who, "() misses an argument: ", *(parameters.begin() + i)));
  }
}

std::int64_t Bound::integer(std::size_t i, std::int64_t otherwise) const {
  if (!has(i)) return otherwise;
  if (at(i).is(Kind::undefined)) fail_undefined(at(i));
  if (!at(i).is_integral()) fail_type(cat(who_, "() wants a whole number, got a ", at(i).type_name()));
  return at(i).as_integer();
}

TextPtr Bound::text(std::size_t i) const {
  if (at(i).is(Kind::undefined)) fail_type(cat(who_, "() wants a string, got something undefined"));
  if (!at(i).is(Kind::text)) fail_type(cat(who_, "() wants a string, got a ", at(i).type_name()));
  return at(i).text_ptr();
}

}  // namespace reveille::text::jinja
