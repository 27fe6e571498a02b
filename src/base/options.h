// Options structs: one struct a concern, one `visit` a struct. The visit yields flags, help,
// key=value parsing, JSON, recipe reading and cache keys, so that an option is written once.
//
//   struct SftOptions {
//     double learning_rate = 5e-5;
//     void visit(OptionVisitor& v) {
//       v.option("learning_rate", learning_rate, {.help = "peak learning rate", .min = 0});
//     }
//   };
#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/json.h"

namespace reveille {

using OptionRef = std::variant<bool*, std::int64_t*, double*, std::string*, std::vector<std::string>*>;

struct OptionMeta {
  std::string help;
  double min = -std::numeric_limits<double>::infinity();
  double max = std::numeric_limits<double>::infinity();
  std::vector<std::string> choices = {};  // for strings: the only values allowed
  bool several = false;                   // of the choices: several may be joined, "year+literal"
  std::vector<std::string> aliases = {};  // older or other tools' names, accepted silently
};

class OptionVisitor {
 public:
  virtual ~OptionVisitor() = default;
  template <class T>
  void option(std::string_view name, T& value, const OptionMeta& meta) {
    visit_option(name, OptionRef(&value), meta);
  }

 protected:
  virtual void visit_option(std::string_view name, OptionRef value, const OptionMeta& meta) = 0;
};

template <class T>
concept Visitable = requires(T& value, OptionVisitor& visitor) {
  value.visit(visitor);
};

// A type-erased view of an options struct.
class OptionsView {
 public:
  template <Visitable T>
  OptionsView(T& options)  // NOLINT: implicit on purpose
      : object_(&options), visit_([](void* object, OptionVisitor& v) { static_cast<T*>(object)->visit(v); }) {}
  void visit(OptionVisitor& visitor) const { visit_(object_, visitor); }

 private:
  void* object_;
  void (*visit_)(void*, OptionVisitor&);
};

struct OptionDescription {
  std::string name, type, value;  // `value` is the current value as text
  OptionMeta meta;
};

std::vector<OptionDescription> describe_options(OptionsView options);
std::vector<std::string> option_names(OptionsView options);

// Sets one option from text ("learning_rate", "5e-5"). Errors name key, value and `where`;
// an unknown key names the nearest one. Returns false only from try_set_option.
void set_option(OptionsView options, std::string_view key, std::string_view value, const std::string& where);
bool try_set_option(OptionsView options, std::string_view key, std::string_view value, const std::string& where);
// "key=value" as typed on a command line.
std::pair<std::string, std::string> split_assignment(std::string_view text);

Json options_to_json(OptionsView options);
// Every key of `object` must be an option (keys starting with '_' are errors too).
void options_from_json(OptionsView options, const Json& object, const std::string& where);

}  // namespace reveille
